"""The suites that the checks become: built-in expectations of Great Expectations on scalar facts, as plain data."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunegate.errors import UserError
from tunegate.params import ValidateSettings
from tunegate.task import Check
from tunegate.validation.dataset import Measure
from tunegate.validation.labels import LabelRules

Expectation = dict[str, Any]


def row_expectations(
    checks: Sequence[Check], settings: ValidateSettings, labels: LabelRules | None
) -> list[Expectation]:
    """One per check. Where a built-in expectation says it on the plain value, that one; else the fact must be false.

    `labels`: which may occur, where a row has one; None where it has many.
    """
    plain: dict[str, tuple[str, dict[str, Any]]] = {
        "TEXT_LONG": ("between", {"column": "n_chars", "max_value": settings.max_characters}),
        "TEXT_SHORT": ("between", {"column": "n_chars_shortest", "min_value": settings.min_characters}),
        "LABEL_NULL": ("not_be_null", {"column": "label"}),
    }
    if labels is not None and labels.closed:
        plain["LABEL_SET"] = ("in_set", {"column": "label", "value_set": list(labels.known)})
    types = {
        "between": "expect_column_values_to_be_between",
        "not_be_null": "expect_column_values_to_not_be_null",
        "in_set": "expect_column_values_to_be_in_set",
    }
    expectations = []
    for check in checks:
        kind, kwargs = plain.get(check.code, ("in_set", {"column": check.fact, "value_set": [False]}))
        expectations.append(
            {
                "type": types[kind],
                "kwargs": {**kwargs, "mostly": 1.0 - check.tolerated},
                "meta": {"code": check.code, "action": check.action},
            }
        )
    return expectations


def data_expectations(measures: Mapping[str, Measure]) -> list[Expectation]:
    """One per measure, on a frame of one row with a column per code. What was not measured is null, and passes."""
    return [
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": code, "min_value": measure.low, "max_value": measure.high},
            "meta": {"code": code},
        }
        for code, measure in measures.items()
    ]


def own_suite(root: Path, name: str | None) -> dict[str, Any] | None:
    """The suite of Great Expectations that `validate.suite` names, relative to the project's root. Raises UserError."""
    if name is None:
        return None
    try:
        suite = json.loads((root / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"validate.suite: {name} cannot be read as JSON: {error}.",
            "Name a suite of Great Expectations as a JSON file, relative to the project's root.",
        ) from error
    if not isinstance(suite, dict) or not isinstance(suite.get("expectations"), list):
        raise UserError(
            f"validate.suite: {name} has no list of `expectations`.",
            "Save the suite as Great Expectations writes it: name, expectations (type, kwargs, meta).",
        )
    return {"name": "own", "expectations": suite["expectations"], "meta": {}}
