"""Reading a request: bytes to records, or one error that says what is wrong and where.

Messages name fields and limits, never a user's text: they may be logged.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.types import FailFast

from tunegate.asked import MAX_NAME, Mistake, first_mistake, unlearnt
from tunegate.exported import Filled
from tunegate.params import ServiceSettings


class RequestError(Exception):
    """What the client is told: an HTTP status, a code for programs, a sentence for people, and the place."""

    def __init__(
        self, status: int, code: str, message: str, where: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.where = where[:MAX_NAME] if where else where
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Questions:
    """A valid request. Records are plain values with the fields of the task's record."""

    records: list[dict[str, Any]]
    scores: bool


class QuestionReader:
    """Knows the task's record, the limits, and which parts of a record the model has learnt from."""

    def __init__(
        self, record: type[BaseModel], limits: ServiceSettings, filled: Mapping[str, Filled] | None = None
    ) -> None:
        self.limits = limits
        self.filled = filled or {}
        self.model = request_model(record, limits)

    def read(self, body: bytes) -> Questions:
        """Raises RequestError: 400 for what is no JSON, 422 for what is no valid request."""
        try:
            request: Any = self.model.model_validate_json(body)
        except ValidationError as error:
            raise _refusal(first_mistake(error), self.limits) from None
        _refuse_duplicate_keys(body)
        records = [record.model_dump() for record in request.records]
        for number, record in enumerate(records):
            _check_texts(record, f"records[{number}]", self.limits.max_characters)
            if mistake := unlearnt(record, self.filled):
                raise RequestError(422, "invalid_request", mistake.message, f"records[{number}].{mistake.where}")
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


def _refusal(mistake: Mistake, limits: ServiceSettings) -> RequestError:
    if mistake.kind == "json_invalid":
        return RequestError(400, "bad_json", f"The body is not UTF-8 JSON: {mistake.message}")
    if mistake.kind == "too_long" and mistake.where == "records":
        return RequestError(
            422, "too_many_records", f"A request holds at most {limits.max_records} records; split it.", mistake.where
        )
    return RequestError(422, "invalid_request", mistake.message, mistake.where)


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
