"""Reading a request: bytes to records, or one error that says what is wrong and where.

Messages name fields and limits, never a user's text: they may be logged.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.types import FailFast

from tunegate.params import ServiceSettings

MAX_WHERE = 200  # a key may be megabytes long; what an error repeats of it is not


class RequestError(Exception):
    """What the client is told: an HTTP status, a code for programs, a sentence for people, and the place."""

    def __init__(
        self, status: int, code: str, message: str, where: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.where = where[:MAX_WHERE] if where else where
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Questions:
    """A valid request. Records are plain values with the fields of the task's record."""

    records: list[dict[str, Any]]
    scores: bool


class QuestionReader:
    """Knows the task's record and the limits."""

    def __init__(self, record: type[BaseModel], limits: ServiceSettings) -> None:
        self.limits = limits
        self.model = request_model(record, limits)

    def read(self, body: bytes) -> Questions:
        """Raises RequestError: 400 for what is no JSON, 422 for what is no valid request."""
        try:
            request: Any = self.model.model_validate_json(body)
        except ValidationError as error:
            raise _refusal(error, self.limits) from None
        _refuse_duplicate_keys(body)
        records = [record.model_dump() for record in request.records]
        for number, record in enumerate(records):
            _check_texts(record, f"records[{number}]", self.limits.max_characters)
        return Questions(records, request.scores)


def request_model(record: type[BaseModel], limits: ServiceSettings) -> type[BaseModel]:
    """`{"records": [...], "scores": false}`, strict, unknown keys refused."""
    records = Field(min_length=1, max_length=limits.max_records, description="the records to answer, in order")
    scores = Field(default=False, description="whether the answers carry the scores of every possibility")
    return create_model(
        "PredictRequest",
        __config__=ConfigDict(extra="forbid", strict=True),
        records=(Annotated[list[record], FailFast()], records),  # type: ignore[valid-type, arg-type]
        scores=(bool, scores),
    )


def _refusal(error: ValidationError, limits: ServiceSettings) -> RequestError:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    # A misspelt field is missing under its right name and unknown under its own, which is what its writer looks for.
    unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
    detail = (unknown if details[0]["type"] == "missing" and unknown else details)[0]
    where = _place(detail["loc"])
    if detail["type"] == "json_invalid":
        return RequestError(400, "bad_json", f"The body is not UTF-8 JSON: {detail['msg']}.")
    if detail["type"] == "extra_forbidden":
        lost = [str(other["loc"][-1]) for other in details if other["type"] == "missing"]
        missing = f" Missing: {', '.join(lost)}." if lost else ""
        name = repr(str(detail["loc"][-1])[:MAX_WHERE])
        return RequestError(422, "invalid_request", f"There is no field {name}.{missing}", where)
    if detail["type"] == "too_long" and where == "records":
        return RequestError(
            422, "too_many_records", f"A request holds at most {limits.max_records} records; split it.", where
        )
    return RequestError(422, "invalid_request", f"{detail['msg']}.", where)


def _place(location: tuple[int | str, ...]) -> str:
    """`records[3].text`."""
    place = ""
    for part in location:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    return place


def _refuse_duplicate_keys(body: bytes) -> None:
    """JSON leaves open which of two equal keys counts, so neither does. The body is known to be valid and flat."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise RequestError(400, "duplicate_key", "An object of the body has the same key twice.")
        return found

    json.loads(body, object_pairs_hook=unique)


def _check_texts(value: object, place: str, limit: int) -> None:
    if isinstance(value, str):
        if len(value) > limit:
            raise RequestError(
                422, "text_too_long", f"A text holds at most {limit} characters; this one {len(value)}.", place
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(item, f"{place}.{key}", limit)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _check_texts(item, f"{place}[{number}]", limit)
