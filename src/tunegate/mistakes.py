"""A mistake that pydantic found in a YAML file, as a sentence: file and line, the key, what is wrong, the nearest name.

Knows documents and models in general, and no setting by name.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml.comments import CommentedMap

from tunegate.errors import did_you_mean

LONGEST_VALUE = 60  # characters of a wrong value that a sentence quotes

TYPES = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "string_type": "must be text (put it in quotes)",
    "list_type": "must be a list",
    "dict_type": "must be a mapping (lines `name: value` below it)",
    "model_type": "must be a mapping of settings (lines `name: value` below it)",
}
BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "above"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "below"),
}


@dataclass(frozen=True)
class Place:
    """A part of a file: where a model's settings stand in the document."""

    path: Path
    document: CommentedMap
    keys: tuple[str, ...]

    def sentence(self, where: Iterable[Any], problem: str) -> str:
        """`params.yaml:12: pipelines.support.train.epochs <problem>.`"""
        keys = (*self.keys, *where)
        return f"{self.path.name}:{line_of(self.document, keys)}: {'.'.join(map(str, keys))} {problem}"


def line_of(document: CommentedMap, keys: Iterable[Any]) -> int:
    """The 1-based line of the deepest of the nested keys that is there."""
    node: Any = document
    line = 1
    for key in keys:
        if isinstance(node, CommentedMap) and key in node:
            line = _key_line(node, key, line)
            node = node[key]
        elif isinstance(node, list) and isinstance(key, int) and key < len(node):
            line = _item_line(node, key, line)
            node = node[key]
        else:
            break
    return line


def _key_line(node: CommentedMap, key: Any, otherwise: int) -> int:
    try:
        return int(node.lc.key(key)[0]) + 1
    except KeyError:  # merged in with `<<`: the key stands somewhere else
        return otherwise


def _item_line(node: Any, key: int, otherwise: int) -> int:
    """Of an entry of a list, which may stand on a line of its own."""
    positions = getattr(getattr(node, "lc", None), "data", None) or {}
    return int(positions[key][0]) + 1 if key in positions else otherwise


def sentences(error: ValidationError, place: Place, model: type[BaseModel]) -> list[str]:
    """One sentence per mistake, in the file's order."""
    found = [
        (line_of(place.document, (*place.keys, *_location(d))), _sentence(d, place, model)) for d in error.errors()
    ]
    return [sentence for _, sentence in sorted(found, key=lambda pair: pair[0])]


def _location(detail: Any) -> tuple[Any, ...]:
    return tuple(key for key in detail["loc"] if key != "[key]")


def _sentence(detail: Any, place: Place, model: type[BaseModel]) -> str:
    where = _location(detail)
    if detail["type"] == "extra_forbidden":
        return place.sentence(where, f"is no setting.{nearest(str(where[-1]), known_keys(model, where[:-1]))}")
    if detail["type"] == "missing":
        return place.sentence(where, "is missing.")
    if detail["input"] is None:
        return place.sentence(where, "has no value. Give it one, or take the line out.")
    return place.sentence(where, f"{_problem(detail)}, found {_quoted(detail['input'])}.{_literal_hint(detail)}")


def _problem(detail: Any) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in BOUNDS:
        name, words = BOUNDS[kind]
        return f"must be {words} {context[name]:g}"
    if kind == "literal_error":
        return f"must be one of {', '.join(_expected(detail))}"
    if kind == "string_pattern_mismatch":
        return f"must match {context['pattern']}"
    if kind == "too_short":
        return f"needs at least {context['min_length']} entries" if context["min_length"] > 1 else "must not be empty"
    if kind == "value_error":
        return str(context["error"])
    return TYPES.get(kind, str(detail["msg"]))


def _literal_hint(detail: Any) -> str:
    return did_you_mean(str(detail["input"]), _expected(detail)) if detail["type"] == "literal_error" else ""


def _expected(detail: Any) -> list[str]:
    """pydantic lists them as `'full', 'partial' or 'head'`."""
    return [name.strip(" '") for name in str(detail["ctx"]["expected"]).replace(" or ", ",").split(",")]


def nearest(name: str, known: list[str]) -> str:
    """A hint at the name that was meant, or at all there are."""
    hint = did_you_mean(name, known)
    return hint or (f" Here stand: {', '.join(known)}." if known else " There are none here.")


def _quoted(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def known_keys(model: type[BaseModel], location: Iterable[Any]) -> list[str]:
    """The keys, as people write them, of the model that stands at the location."""
    for key in location:
        field = next((f for name, f in model.model_fields.items() if key in (name, f.alias)), None)
        if field is None or not _is_model(field.annotation):
            return []
        model = field.annotation  # type: ignore[assignment]
    return [field.alias or name for name, field in model.model_fields.items()]


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
