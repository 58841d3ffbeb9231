"""An answer's own tables: lists of words, spans or candidates as the service gives them, whatever the task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

MOST_ROWS = 300
APART = ("scores",)  # shown as scores


@dataclass(frozen=True)
class ToldRow:
    """`differs`: the other version says otherwise here (numbers of confidence aside)."""

    cells: Sequence[str]
    decided: Sequence[str]
    differs: bool = False


@dataclass(frozen=True)
class ToldTable:
    """`left_out`: rows beyond those shown."""

    name: str
    columns: Sequence[str]
    rows: Sequence[ToldRow]
    left_out: int


def told(answer: Mapping[str, Any]) -> list[ToldTable]:
    """One per part of the answer that is a list of objects, or a list of such lists, which are numbered."""
    tables = []
    for name, value in answer.items():
        if name not in APART and isinstance(value, list) and (objects := _objects(value)):
            columns = [key for key in objects[0] if not isinstance(objects[0][key], dict | list) and key not in APART]
            rows = [_row([one.get(key) for key in columns]) for one in objects[:MOST_ROWS]]
            tables.append(ToldTable(name, columns, rows, max(0, len(objects) - MOST_ROWS)))
    return tables


def _objects(value: Sequence[Any]) -> list[Mapping[str, Any]]:
    if all(isinstance(one, dict) for one in value):
        return list(value)
    if all(isinstance(one, list) for one in value):
        return [{"#": number, **one} for number, inner in enumerate(value, 1) for one in inner if isinstance(one, dict)]
    return []


def _row(values: Sequence[Any]) -> ToldRow:
    return ToldRow([_cell(value) for value in values], [_cell(value) for value in values if type(value) is not float])


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def marked(tables: Sequence[ToldTable], others: Sequence[ToldTable]) -> list[ToldTable]:
    """With the rows marked that the other answer's table of that name does not hold."""
    known = {table.name: {tuple(row.decided) for row in table.rows} for table in others}
    return [replace(table, rows=[_marked(row, known.get(table.name, set())) for row in table.rows]) for table in tables]


def _marked(row: ToldRow, known: set[tuple[str, ...]]) -> ToldRow:
    return replace(row, differs=tuple(row.decided) not in known)
