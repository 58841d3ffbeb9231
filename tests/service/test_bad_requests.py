"""Whatever is sent, the answer is a sentence with a place, and never a 5xx."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.service.client import Client
from tunegate.exported import Filled
from tunegate.service.room import Room

TEXT = b'{"records": [{"text": "rain"}]}'

NASTY: dict[str, tuple[bytes, int, str | None]] = {
    "nothing": (b"", 400, None),
    "spaces": (b"   ", 400, None),
    "no json": (b"hello", 400, None),
    "half a json": (b'{"records": [{"text": "ra', 400, None),
    "two documents": (TEXT + TEXT, 400, None),
    "single quotes": (b"{'records': []}", 400, None),
    "a trailing comma": (b'{"records": [{"text": "rain"},]}', 400, None),
    "a comment": (b'{"records": [] /* none */}', 400, None),
    "a BOM": (b"\xef\xbb\xbf" + TEXT, 400, None),
    "UTF-16": (TEXT.decode().encode("utf-16"), 400, None),
    "latin-1": ('{"records": [{"text": "é"}]}'.encode("latin-1"), 400, None),
    "overlong UTF-8": (b'{"records": [{"text": "\xc0\xaf"}]}', 400, None),
    "a surrogate in UTF-8": (b'{"records": [{"text": "\xed\xa0\x80"}]}', 400, None),
    "a lone surrogate": (rb'{"records": [{"text": "\ud800"}]}', 400, None),
    "a raw control character": (b'{"records": [{"text": "a\x00b"}]}', 400, None),
    "a wrong escape": (rb'{"records": [{"text": "\x41"}]}', 400, None),
    "deep lists": (b"[" * 100_000, 413, None),
    "deep lists within the limit": (b"[" * 9_000 + b"]" * 9_000, 400, None),
    "deep objects": (b'{"records":' * 1_500 + b"1" + b"}" * 1_500, 400, None),
    "a deep record": (b'{"records": [' + b"[" * 5_000 + b"]" * 5_000 + b"]}", 400, None),
    "NaN": (b'{"records": [{"text": NaN}]}', 422, "records[0].text"),
    "infinity": (b'{"records": [{"text": "rain"}], "scores": Infinity}', 422, "scores"),
    "a huge number": (b'{"records": [{"text": 1' + b"0" * 10_000 + b"}]}", 400, None),
    "a huge exponent": (b'{"records": [{"text": 1e999999}]}', 422, "records[0].text"),
    "a number": (b"5", 422, None),
    "a string": (b'"rain"', 422, None),
    "null": (b"null", 422, None),
    "a list": (b'[{"text": "rain"}]', 422, None),
    "an empty object": (b"{}", 422, "records"),
    "no records": (b'{"records": []}', 422, "records"),
    "records as null": (b'{"records": null}', 422, "records"),
    "records as an object": (b'{"records": {"text": "rain"}}', 422, "records"),
    "records as text": (b'{"records": "rain"}', 422, "records"),
    "a bare text": (b'{"records": ["rain"]}', 422, "records[0]"),
    "a null record": (b'{"records": [null]}', 422, "records[0]"),
    "an empty record": (b'{"records": [{}]}', 422, "records[0].text"),
    "an empty text": (b'{"records": [{"text": ""}]}', 422, "records[0].text"),
    "white space for a text": (rb'{"records": [{"text": " \n\t\u3000 "}]}', 422, "records[0].text"),
    "a null text": (b'{"records": [{"text": null}]}', 422, "records[0].text"),
    "a number for a text": (b'{"records": [{"text": "rain"}, {"text": 5}]}', 422, "records[1].text"),
    "a list for a text": (b'{"records": [{"text": ["rain"]}]}', 422, "records[0].text"),
    "a bool for a text": (b'{"records": [{"text": true}]}', 422, "records[0].text"),
    "an unknown field": (b'{"records": [{"text": "rain", "label": "food"}]}', 422, "records[0].label"),
    "an unknown key": (b'{"records": [{"text": "rain"}], "model": "x"}', 422, "model"),
    "a misspelt key": (b'{"record": [{"text": "rain"}]}', 422, "record"),
    "a misspelt field": (b'{"records": [{"txt": "rain"}]}', 422, "records[0].txt"),
    "scores as a number": (b'{"records": [{"text": "rain"}], "scores": 1}', 422, "scores"),
    "scores as text": (b'{"records": [{"text": "rain"}], "scores": "true"}', 422, "scores"),
    "a key twice": (b'{"records": [{"text": "rain", "text": "bread"}]}', 400, None),
    "records twice": (b'{"records": [{"text": "rain"}], "records": [{"text": "rain"}]}', 400, None),
    "too many records": (json.dumps({"records": [{"text": "a"}] * 9}).encode(), 422, "records"),
    "a long text": (json.dumps({"records": [{"text": "a" * 501}]}).encode(), 422, "records[0].text"),
    "a long second text": (json.dumps({"records": [{"text": "a", "text_b": "é" * 501}]}).encode(), 422, None),
    "10 MB of text": (json.dumps({"records": [{"text": "a" * 10_000_000}]}).encode(), 413, None),
    "a long key": (b'{"records": [{"text": "rain", "' + b"k" * 15_000 + b'": 1}]}', 422, None),
}


@pytest.mark.parametrize("name", NASTY)
def test_a_bad_body_is_refused_with_a_sentence_and_its_place(client: Client, name: str) -> None:
    body, status, where = NASTY[name]
    got = client.ask(body)
    assert (got.status, got.error["message"][-1]) == (status, ".")
    if where is not None:
        assert got.error["where"] == where
    assert len(got.body) < 1_000


def test_an_unknown_field_is_named_and_so_is_what_is_missing(client: Client) -> None:
    got = client.ask(b'{"records": [{"txt": "rain"}]}')
    assert got.error["message"] == "There is no field 'txt'. Missing: text."


@pytest.mark.parametrize(
    ("state", "record", "said"),
    [
        ("never", {"text": "rain", "text_b": "snow"}, "text_b must be left out"),
        ("never", {"text": "rain", "text_b": ""}, "text_b must be left out"),
        ("always", {"text": "rain"}, "text_b is missing"),
        ("always", {"text": "rain", "text_b": None}, "text_b is missing"),
        ("always", {"text": "rain", "text_b": " "}, "text_b is missing"),
        ("never", {"text": "rain"}, None),
        ("always", {"text": "rain", "text_b": "snow"}, None),
        ("sometimes", {"text": "rain"}, None),
        ("sometimes", {"text": "rain", "text_b": "snow"}, None),
    ],
)
def test_what_the_model_has_never_seen_is_refused(
    client: Client, state: Filled, record: dict[str, Any], said: str | None
) -> None:
    filled: dict[str, Filled] = {"text": "always", "text_b": state}
    packaged = client.room.packaged.model_copy(update={"filled": filled})
    room = Room(client.room.predictor, packaged, "demo:1")
    got = Client(room).records({"text": "rain", **({"text_b": "b"} if state == "always" else {})}, record)
    document = Client(room).ask(path="/openapi.json", method="GET").json
    room.close()
    assert got.status == (422 if said else 200)
    if said:
        assert said in got.error["message"] and got.error["where"] == "records[1].text_b"
    schema = document["components"]["schemas"]["Record"]
    assert ("text_b" in schema["properties"]) == (state != "never")
    assert ("text_b" in schema["required"]) == (state == "always")


@pytest.mark.parametrize(
    "text",
    [
        *("[SEP]", "[MASK] [CLS]", "\\u0000", "\\u0000" * 50, "\\u200b", "\\ufeff", "\\uffff"),
        *(
            "\\ud83d\\ude00" * 100,
            "a\\u0301" * 100,
            "\\u202e evil",
            "🏳️‍🌈",
            "漢字",
            "' OR 1=1 --",
            "<script>",
            "${x}",
            "%s%n",
        ),
    ],
)
def test_naughty_text_is_text(client: Client, text: str) -> None:
    got = client.ask(f'{{"records": [{{"text": "{text}"}}]}}'.encode())
    assert got.status == 200 and len(got.json["answers"]) == 1


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "records": JSON_VALUES
        | st.lists(st.fixed_dictionaries({}, optional={"text": JSON_VALUES, "text_b": JSON_VALUES}), max_size=10),
        "scores": JSON_VALUES,
        "extra": JSON_VALUES,
    },
)
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(body=st.binary(max_size=200))
@example(body=b"\xff\xfe")
def test_no_bytes_make_the_service_fail(client: Client, body: bytes) -> None:
    assert client.ask(body).error


@FUZZ
@given(request=REQUESTS)
def test_no_json_makes_the_service_fail(client: Client, request: object) -> None:
    got = client.ask(json.dumps(request).encode())
    assert got.status == 200 or (400 <= got.status < 500 and got.error)


@FUZZ
@given(data=st.data())
def test_no_damage_to_a_good_request_makes_the_service_fail(client: Client, data: st.DataObject) -> None:
    body = bytearray(json.dumps({"records": [{"text": "rain", "text_b": None}], "scores": True}).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    assert client.ask(bytes(body)).status < 500


@FUZZ
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "BREW"]),
    path=st.sampled_from(["/", "/v1/predict", "/v1/model", "/docs.json", "/openapi.json"]) | st.text(max_size=20),
    headers=st.lists(
        st.tuples(
            st.sampled_from(["content-type", "content-length", "authorization", "content-encoding", "x-request-id"]),
            st.text(st.characters(max_codepoint=255), max_size=20),
        ),
        max_size=4,
    ),
)
def test_no_method_path_or_header_makes_the_service_fail(
    client: Client, method: str, path: str, headers: list[tuple[str, str]]
) -> None:
    if path in ("/livez", "/readyz", "/healthz", "/metrics", "/schema.json"):
        return
    assert client.ask(b"", method=method, path=path, headers=headers).status < 500
