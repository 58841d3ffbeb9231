"""What the service says of itself: the OpenAPI document and one page. No scripts, ours or a stranger's."""

import html
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from tunegate.bento import Packaged
from tunegate.exported import Filled
from tunegate.service.asgi import Page
from tunegate.service.questions import request_model
from tunegate.task import RecordPart

REF = "#/components/schemas/{model}"

ERRORS: dict[int, dict[str, str]] = {
    400: {
        "bad_json": "The body is no UTF-8 JSON.",
        "duplicate_key": "An object of the body has the same key twice.",
        "bad_length": "Content-Length is no whole number.",
    },
    401: {"unauthorized": "The token is missing or wrong; without one only the service's own machine is answered."},
    408: {"body_too_slow": "The body did not arrive in time."},
    413: {"body_too_large": "The body is larger than the limit."},
    415: {"unsupported_media_type": "Only `application/json` in UTF-8, uncompressed."},
    422: {
        "invalid_request": "The body is JSON, but no valid request: `where` names the place.",
        "too_many_records": "The request holds more records than the limit.",
        "text_too_long": "A text is longer than the limit: `where` names it.",
    },
    500: {"internal": "The service's fault; the log of the service knows more."},
    503: {
        "overloaded": "Too many records wait: try again after `Retry-After`.",
        "deadline": "The request waited too long: try again after `Retry-After`.",
    },
}
"""Status to code to when: what a question may be answered with."""

ROUTING_ERRORS = {
    404: {"not_found": "There is no such path."},
    405: {"method_not_allowed": "The path does not answer this method; the header `Allow` names those it does."},
}
"""What no path of the document answers."""


def openapi(packaged: Packaged, record: RecordPart, version: str) -> dict[str, Any]:
    """OpenAPI 3.1, from the task's record and answer."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": packaged.pipeline,
            "version": version,
            "description": f"{packaged.description or record.TITLE}. Task: {record.TITLE}.",
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/v1/predict": {"post": _predict(packaged, record)},
            "/v1/model": {"get": _get("model", "What answers: version, data, verdict, precision, limits.")},
            "/livez": {"get": _probe("livez", "Whether the process lives.")},
            "/readyz": {"get": _probe("readyz", "Whether it answers.")},
            "/metrics": {"get": _probe("metrics", "Prometheus metrics.")},
        },
        "components": {
            "schemas": _schemas(packaged, record),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def pages(packaged: Packaged, document: dict[str, Any]) -> dict[str, Page]:
    """The fixed pages by path."""
    body = json.dumps(document, ensure_ascii=False).encode()
    return {
        "/": Page("text/html; charset=utf-8", _index(packaged, document).encode()),
        "/openapi.json": Page("application/json", body),
        "/docs.json": Page("application/json", body),  # where BentoML's users look for it
    }


def _predict(packaged: Packaged, record: RecordPart) -> dict[str, Any]:
    limits = packaged.limits
    return {
        "operationId": "predict",
        "summary": "Answer records, in order",
        "description": (
            f"At most {limits.max_records} records, {limits.max_characters:,} characters per text and "
            f"{limits.max_body_bytes:,} bytes per request. Unknown keys are refused."
        ),
        "parameters": [
            {
                "name": "X-Request-Id",
                "in": "header",
                "required": False,
                "description": "taken over into the answer and the log, else one is made",
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": _ref("PredictRequest"),
                    "example": {"records": questions(record, packaged.filled)[:2]},
                }
            },
        },
        "responses": {
            "200": {"description": "One answer per record, in order", "content": _content("PredictResponse")},
            **{str(status): _error(status) for status in ERRORS},
        },
    }


def questions(record: RecordPart, filled: Mapping[str, Filled]) -> list[dict[str, Any]]:
    """The task's examples as a client asks them: without their labels, with every part that must be there and none that
    must not."""
    fields = [name for name in record.Record.model_fields if filled.get(name) != "never"]
    asked = [{name: value for name, value in row.items() if name in fields} for row in record.EXAMPLES]
    needed = [name for name, state in filled.items() if state == "always"]
    following = [
        next((value for value in row.values() if isinstance(value, str)), "...") for row in (*asked[1:], asked[0])
    ]
    return [{**dict.fromkeys(needed, text), **row} for row, text in zip(asked, following, strict=True)]


def _get(name: str, summary: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": "OK", "content": content}, "401": _error(401)},
    }


def _probe(name: str, summary: str) -> dict[str, Any]:
    content = {"text/plain": {"schema": {"type": "string"}}}
    return {"operationId": name, "summary": summary, "responses": {"200": {"description": "OK", "content": content}}}


def _error(status: int) -> dict[str, Any]:
    code, message = next(iter(ERRORS[status].items()))
    description = " ".join(f"`{code}`: {meaning}" for code, meaning in ERRORS[status].items())
    example = {"error": {"code": code, "message": message, "where": None}, "request_id": "4f1c"}
    return {
        "description": description,
        "content": {"application/json": {"schema": _ref("Error"), "example": example}},
    }


def _schemas(packaged: Packaged, record: RecordPart) -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    for name, model in (("PredictRequest", request_model(record.Record, packaged.limits)), ("Answer", record.Answer)):
        schemas |= _schema(name, model)
    _narrow(schemas[record.Record.__name__], packaged.filled)
    schemas["PredictResponse"] = {
        "type": "object",
        "required": ["answers", "version", "request_id"],
        "properties": {
            "answers": {"type": "array", "items": _ref("Answer")},
            "version": {"type": "string", "description": "the version that answered"},
            "request_id": {"type": "string"},
        },
    }
    schemas["Error"] = {
        "type": "object",
        "required": ["error", "request_id"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "where"],
                "properties": {
                    "code": {"type": "string", "description": "for programs"},
                    "message": {"type": "string", "description": "for people"},
                    "where": {"type": ["string", "null"], "description": "the place, for example records[3].text"},
                },
            },
            "request_id": {"type": "string"},
        },
    }
    return schemas


def _narrow(schema: dict[str, Any], filled: Mapping[str, Filled]) -> None:
    """The record's schema as this model wants it: parts that it was never trained on are unknown."""
    required = schema.setdefault("required", [])
    required += [name for name, state in filled.items() if state == "always" and name not in required]
    for name, state in filled.items():
        if state == "never":
            del schema["properties"][name]


def _schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=REF)
    inner: dict[str, Any] = schema.pop("$defs", {})
    return {**inner, name: schema}


def _ref(model: str) -> dict[str, str]:
    return {"$ref": REF.format(model=model)}


def _content(model: str) -> dict[str, Any]:
    return {"application/json": {"schema": _ref(model)}}


def _index(packaged: Packaged, document: dict[str, Any]) -> str:
    paths = "".join(
        f"<tr><td>{method.upper()}</td><td><code>{html.escape(path)}</code></td>"
        f"<td>{html.escape(operation['summary'])}</td></tr>"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    )
    example = json.dumps(
        document["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
    )
    shell = "curl -H 'Content-Type: application/json' -d @question.json http://127.0.0.1:3000/v1/predict"
    title = html.escape(packaged.pipeline)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font:16px/1.5 sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}"
        "td{padding:.2rem 1rem .2rem 0}pre{background:#f4f4f4;padding:.8rem;overflow:auto}</style>"
        f"<h1>{title}</h1><p>{html.escape(document['info']['description'])}</p>"
        f"<p>Version <code>{html.escape(document['info']['version'])}</code></p><table>{paths}</table>"
        f"<h2>Ask it</h2><p><code>question.json</code>:</p><pre>{html.escape(example)}</pre>"
        f"<pre>{html.escape(shell)}</pre>"
        '<p>The whole interface: <a href="/openapi.json">/openapi.json</a></p></html>\n'
    )
