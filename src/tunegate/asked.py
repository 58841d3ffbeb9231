"""One question put to a model: whether it is one, and whether the model has learnt from questions like it.

Says what is wrong once for all who are asked: over HTTP, on the command line, in a file. Messages name fields and
limits, never a user's text: they may be logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from tunegate.exported import Filled

MAX_NAME = 200  # a key may be megabytes long; what a sentence repeats of it is not


@dataclass(frozen=True)
class Mistake:
    """`kind` is pydantic's, for those who answer some kinds in another way; `where` is empty for the whole."""

    kind: str
    message: str
    where: str


def first_mistake(error: ValidationError) -> Mistake:
    """What to say of a question that is none."""
    details = error.errors(include_url=False, include_input=False, include_context=False)
    # A misspelt field is missing under its right name and unknown under its own, which is what its writer looks for.
    unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
    detail = (unknown if details[0]["type"] == "missing" and unknown else details)[0]
    where = place(detail["loc"])
    if detail["type"] != "extra_forbidden":
        return Mistake(detail["type"], f"{detail['msg']}.", where)
    lost = [str(other["loc"][-1]) for other in details if other["type"] == "missing"]
    missing = f" Missing: {', '.join(lost)}." if lost else ""
    return Mistake(detail["type"], f"There is no field {str(detail['loc'][-1])[:MAX_NAME]!r}.{missing}", where)


def place(location: tuple[int | str, ...]) -> str:
    """`records[3].text`."""
    found = ""
    for part in location:
        found += f"[{part}]" if isinstance(part, int) else f".{part}" if found else str(part)
    return found


def unlearnt(record: Mapping[str, Any], filled: Mapping[str, Filled]) -> Mistake | None:
    """The first field that the record has and no training row had, or the other way round."""
    for name, state in filled.items():
        value = record.get(name)
        if state == "never" and value is not None:
            return Mistake("unlearnt", f"{name} must be left out: the model was trained on rows without it.", name)
        if state == "always" and (value is None or not str(value).strip()):
            return Mistake("unlearnt", f"{name} is missing: the model was trained on rows that all have it.", name)
    return None


def check_question(record: object, model: type[BaseModel], filled: Mapping[str, Filled]) -> dict[str, Any] | Mistake:
    """The record with the fields of the task's `Record`, or what is wrong with it."""
    try:
        question = model.model_validate(record).model_dump()
    except ValidationError as error:
        return first_mistake(error)
    return unlearnt(question, filled) or question
