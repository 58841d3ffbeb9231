"""Which test rows belong to which slice: a column's values, bands of a number, or a named filter.

    gate:
      slices: [label, length, source, channel, "vip: tier == gold", "long: length > 400"]

A column is one of rows.parquet, or of the raw file (`meta`). `label` stands for whatever the task's labels are.
"""

import json
import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.errors import UserError, did_you_mean

Mask = NDArray[np.bool_]

MOST_VALUES = 200  # of a column: further ones are rare, and would only weaken what is said of the others
BANDS = 4
OWN = ("id", "meta")  # columns of rows.parquet that are no property of a row
FILTER = re.compile(r"(?P<name>[^:=<>!]+):\s*(?P<column>.+?)\s*(?P<sign>==|!=|<=|>=|<|>)\s*(?P<value>.*)")
SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """Masks [n] over the test rows by a slice's name: `label=refunds`, `length=1..23`, `vip`."""

    rows: pa.Table
    labels: Sequence[str]  # the task's label columns

    def of(self, wanted: str) -> dict[str, Mask]:
        """Of one entry of `gate.slices`. Raises UserError for a column that is not there, or a filter's mistake."""
        if filter_ := FILTER.fullmatch(wanted):
            return {filter_["name"].strip(): self._filtered(wanted, filter_)}
        if wanted == "label" and "label" not in self.rows.column_names:
            return {name: mask for column in self.labels for name, mask in self.of(column).items()}
        values = self._values(wanted)
        if all(isinstance(value, list) for value in values):
            return _by_member(wanted, values)
        return _by_band(wanted, values) if _is_number(values) else _by_value(wanted, values)

    def one(self, name: str) -> Mask:
        """Of a critical slice, `column=value`; no rows where the value does not occur."""
        column, sign, value = name.partition("=")
        if not sign:
            raise UserError(
                f'gate.critical_slices: "{name}" is neither `column=value` nor the name of a filter in gate.slices.',
                "Write for example `label=refunds`, or name a filter that gate.slices defines.",
            )
        found = self.of(column.strip())
        return found.get(f"{column.strip()}={value.strip()}", np.zeros(len(self.rows), dtype=bool))

    def _filtered(self, wanted: str, found: re.Match[str]) -> Mask:
        values = self._values(found["column"])
        given = found["value"].strip().strip("\"'")
        if found["sign"] in ("==", "!="):
            held = [SIGNS[found["sign"]]("" if value is None else str(value), given) for value in values]
            return np.array(held, dtype=bool)
        try:
            threshold = float(given)
            held = [value is not None and SIGNS[found["sign"]](float(value), threshold) for value in values]
        except (TypeError, ValueError):
            raise UserError(
                f'gate.slices: "{wanted}" compares by size, but "{given}" or a value of "{found["column"]}" is no '
                "number.",
                "Use == or != for words.",
            ) from None
        return np.array(held, dtype=bool)

    def _values(self, column: str) -> list[Any]:
        if column in self.rows.column_names and column not in OWN:
            return list(self.rows[column].to_pylist())
        known = [name for name in self._own_columns if name not in OWN]
        if column not in self._meta_columns:
            raise UserError(
                f'gate.slices: there is no column "{column}".{did_you_mean(column, known)}',
                f"Choose among: {', '.join(known)}.",
            )
        return [row.get(column) for row in self._meta]

    @property
    def _own_columns(self) -> list[str]:
        ours = [name for name in self.rows.column_names if not name.endswith(("_trained_on", "_label_unknown"))]
        return [*ours, *self._meta_columns]

    @cached_property
    def _meta(self) -> list[Mapping[str, Any]]:
        return [json.loads(text) if text else {} for text in self.rows["meta"].to_pylist()]

    @cached_property
    def _meta_columns(self) -> list[str]:
        return list(dict.fromkeys(name for row in self._meta for name in row))


def _is_number(values: list[Any]) -> bool:
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    given = sum(value is not None for value in values)
    return given > 0 and len(numbers) == given and len(set(numbers)) > 2 * BANDS


def _by_band(column: str, values: list[Any]) -> dict[str, Mask]:
    """Quarters of the rows; a number that many rows share makes fewer bands."""
    numbers = np.array([np.nan if value is None else float(value) for value in values])
    given = numbers[~np.isnan(numbers)]
    cuts = np.unique(np.quantile(given, np.linspace(0, 1, BANDS + 1)[1:-1], method="lower"))
    band = np.searchsorted(cuts, numbers, side="left")
    masks = [(band == number) & ~np.isnan(numbers) for number in range(len(cuts) + 1)]
    return {
        f"{column}={numbers[mask].min():g}..{numbers[mask].max():g}": mask for mask in masks if mask.any()
    }  # fmt: skip


def _by_value(column: str, values: list[Any]) -> dict[str, Mask]:
    names = np.array([str(value) if value is not None else "" for value in values], dtype=object)
    common = Counter(name for name in names if name).most_common(MOST_VALUES)
    return {f"{column}={name}": np.asarray(names == name, dtype=bool) for name in sorted(name for name, _ in common)}


def _by_member(column: str, values: list[list[Any]]) -> dict[str, Mask]:
    """Rows that hold a label somewhere, where a row has many."""
    common = Counter(str(member) for value in values for member in set(value)).most_common(MOST_VALUES)
    return {
        f"{column}={name}": np.array([name in map(str, value) for value in values], dtype=bool)
        for name in sorted(name for name, _ in common)
    }
