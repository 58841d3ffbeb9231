"""`tunegate params`: every setting with its type, default, limits and meaning, read off the typed settings.

The reference page is made from the same rows, so the two cannot differ.
"""

import json
import types
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer

from tunegate.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

PLAIN_TYPES = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null", Any: "any"}
LIMITS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below", "min_length": "at least this many entries:"}


@dataclass(frozen=True)
class SettingRow:
    """One setting. `default` is written as in YAML; a setting that must be given says `required`."""

    key: str
    type: str
    default: str
    limits: str
    meaning: str


def add_to(app: typer.Typer) -> None:
    app.command("params")(params)


def params(
    section: Annotated[str, typer.Argument(help="only this section (train) or setting (train.epochs)")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """List every setting of params.yaml: type, default, limits, meaning."""
    everything = all_settings()
    rows = [row for row in everything if _within(row.key, section)]
    if not rows:
        known = sorted({row.key for row in everything} | {row.key.split(".")[0] for row in everything})
        raise UserError(
            f'There is no section or setting "{section}".{did_you_mean(section, known)}',
            "`tunegate params` without a name lists all of them.",
        )
    if as_json:
        print(json.dumps({"settings": [asdict(row) for row in rows]}, indent=2, ensure_ascii=False))
        return
    for row in rows:
        limits = f", {row.limits}" if row.limits else ""
        print(f"{row.key}: {row.default}  ({row.type}{limits})\n    {row.meaning}")


def all_settings() -> list[SettingRow]:
    """Every key below `pipelines.<name>`, then each task's own below `options`."""
    from tunegate.params import PipelineSettings
    from tunegate.tasks import TASKS, options_of

    rows = settings_of(PipelineSettings, "")
    for task in TASKS:
        rows += [
            SettingRow(row.key, row.type, row.default, row.limits, f"{task}: {row.meaning}")
            for row in settings_of(options_of(task), "options.")
        ]
    return rows


def settings_of(model: "type[BaseModel]", prefix: str) -> list[SettingRow]:
    """A model's settings, those of models within it too; keys begin with `prefix`."""
    return list(_rows(model, prefix))


def _within(key: str, section: str) -> bool:
    return not section or key == section or key.startswith(f"{section}.")


def _rows(model: "type[BaseModel]", prefix: str) -> Iterator[SettingRow]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        inner = _settings_inside(field.annotation)
        if inner and not field.is_required() and isinstance(field.default, inner):
            yield from _rows(inner, f"{key}.")
            continue
        yield SettingRow(key, type_in_words(field.annotation), _default(field), _limits(field), field.description or "")
        if inner:  # settings that may be left out, or a mapping of the user's own names to settings
            may_be_null = get_origin(field.annotation) in (Union, types.UnionType)
            yield from _rows(inner, f"{key}." if may_be_null else f"{key}.<name>.")


def _settings_inside(annotation: Any) -> "type[BaseModel] | None":
    from pydantic import BaseModel

    candidates = (annotation, *get_args(annotation))
    return next((kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def type_in_words(annotation: Any) -> str:
    """`int | None` as "whole number or null", `dict[str, str]` as "mapping of text to text"."""
    if annotation in PLAIN_TYPES:
        return PLAIN_TYPES[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return "one of " + ", ".join(str(value) for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(type_in_words(part) for part in inner)
    if origin is list:
        return f"list of {type_in_words(inner[0])}"
    if origin is dict:
        return f"mapping of {type_in_words(inner[0])} to {type_in_words(inner[1])}"
    return "settings"


def _default(field: "FieldInfo") -> str:
    return "required" if field.is_required() else json.dumps(field.default, ensure_ascii=False)


def _limits(field: "FieldInfo") -> str:
    found = [
        f"{words} {getattr(limit, attribute)}"
        for limit in field.metadata
        for attribute, words in LIMITS.items()
        if getattr(limit, attribute, None) is not None
    ]
    pattern = next((limit.pattern for limit in field.metadata if getattr(limit, "pattern", None)), None)
    return ", ".join([*found, f"matches {pattern}"] if pattern else found)
