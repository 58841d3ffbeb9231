"""The form in which a question is asked, read off the task's record, and the record that a form makes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tunegate.records import Payload, question_columns


@dataclass(frozen=True)
class AskField:
    """One box. `lines`: each line of it is a text of its own."""

    name: str
    kind: Literal["text", "lines"]
    required: bool
    meaning: str
    example: str


def ask_fields(record: type[BaseModel], payload: Sequence[Payload], given: Collection[str]) -> list[AskField]:
    """Texts and lists of texts that the record takes; of the payload's columns only those `given` in the rows.

    A list that may be left out beside a text is another way to say the same (a text's words): the text is asked for.
    """
    columns = question_columns(payload)
    asked = {
        name: (kind, field)
        for name, field in record.model_fields.items()
        if (kind := _kind(field.annotation)) and (name in given or name not in columns)
    }
    has_text = any(kind == "text" for kind, _ in asked.values())
    fields = [
        _field(name, kind, field)
        for name, (kind, field) in asked.items()
        if kind == "text" or field.is_required() or not has_text
    ]
    return fields if any(field.required for field in fields) else [_needed(fields[0]), *fields[1:]]


def _kind(annotation: Any) -> Literal["text", "lines"] | None:
    """None for what cannot be typed into a box: numbers, places."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if annotation is str:
        return "text"
    if origin is list:
        return "lines" if _kind(inside[0]) == "text" else None
    if origin is Annotated:
        return _kind(inside[0])
    return next(filter(None, map(_kind, inside)), None) if origin in (Union, UnionType) else None


def _field(name: str, kind: Literal["text", "lines"], field: FieldInfo) -> AskField:
    example = next(iter(field.examples or ()), "")
    shown = "\n".join(map(str, example)) if isinstance(example, list) else str(example)
    return AskField(name, kind, field.is_required(), field.description or "", shown)


def _needed(field: AskField) -> AskField:
    """Where every field may be left out, something has to be asked all the same."""
    return AskField(field.name, field.kind, True, field.meaning, field.example)


def asked_record(fields: Sequence[AskField], form: Mapping[str, str]) -> dict[str, Any]:
    """What was filled in, not yet checked."""
    found: dict[str, Any] = {}
    for field in fields:
        text = form.get(field.name, "")
        if field.kind == "text" and text.strip():
            found[field.name] = text
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if field.kind == "lines" and lines:
            found[field.name] = lines
    return found
