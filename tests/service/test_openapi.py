import inspect
import json
import re

from tests.service.client import Client
from tunegate.service import asgi, questions
from tunegate.service.openapi import ERRORS, ROUTING_ERRORS


def test_the_document_describes_records_answers_and_errors_of_the_task(client: Client) -> None:
    document = client.ask(path="/openapi.json", method="GET").json
    schemas = document["components"]["schemas"]
    assert schemas["Record"]["required"] == ["text"] and "label" not in schemas["Record"]["properties"]
    assert {"label", "confidence"} <= schemas["Answer"]["properties"].keys()
    operation = document["paths"]["/v1/predict"]["post"]
    assert {str(status) for status in ERRORS} | {"200"} == operation["responses"].keys()
    assert schemas["PredictRequest"]["properties"]["records"]["maxItems"] == 8


def test_every_reference_of_the_document_resolves(client: Client) -> None:
    document = client.ask(path="/docs.json", method="GET").json
    text = json.dumps(document)
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used and used <= document["components"]["schemas"].keys()


def test_the_documents_example_is_a_valid_request(client: Client) -> None:
    document = client.ask(path="/openapi.json", method="GET").json
    example = document["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
    got = client.ask(json.dumps(example).encode())
    assert got.status == 200 and len(got.json["answers"]) == len(example["records"])


def test_every_path_of_the_document_is_answered(client: Client) -> None:
    document = client.ask(path="/openapi.json", method="GET").json
    for path, operations in document["paths"].items():
        for method in operations:
            assert client.ask(b"{}", path=path, method=method.upper()).status in (200, 422), path


def test_every_error_that_the_service_raises_is_described() -> None:
    source = inspect.getsource(asgi) + inspect.getsource(questions)
    raised = {(int(status), code) for status, code in re.findall(r'RequestError\(\s*(\d+),\s*"(\w+)"', source)}
    described = {(status, code) for status, codes in (ERRORS | ROUTING_ERRORS).items() for code in codes}
    assert raised == described
