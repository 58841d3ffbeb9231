"""Cells whose value is more than one text: parsed as the task's field says, or rejected with the reason."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from tunegate.records import Payload


def parsed(cells: pa.Array, column: Payload) -> tuple[pa.Array, dict[int, str]]:
    """The column's values, and per row that has none it can use the reason; such rows and absent cells are null."""
    if column.parse is None:
        return cells, {}
    values: list[Any] = []
    reasons: dict[int, str] = {}
    for row, cell in enumerate(cells.to_pylist()):
        value = None
        if cell is not None:
            try:
                value = column.parse(cell)
            except (ValueError, TypeError) as error:
                reasons[row] = f"its {column.name} {_reason(error)}"
        values.append(value)
    return pa.array(values, column.type), reasons


def parsed_in_rows(cells: pa.Array, column: Payload, others: Mapping[str, pa.Array]) -> tuple[pa.Array, dict[int, str]]:
    """As `parsed`, for a column that is read with the values of the row's others."""
    if column.parse_in_row is None:
        return cells, {}
    rows = pa.table(dict(others)).to_pylist() if others else [{}] * len(cells)
    values: list[Any] = []
    reasons: dict[int, str] = {}
    for number, (cell, row) in enumerate(zip(cells.to_pylist(), rows, strict=True)):
        value = None
        if cell is not None:
            try:
                value = column.parse_in_row(cell, row)
            except (ValueError, TypeError) as error:
                reasons[number] = f"its {column.name} {_reason(error)}"
        values.append(value)
    return pa.array(values, column.type), reasons


def json_list(cell: str, of: type | tuple[type, ...], what: str) -> list[Any]:
    """The cell as a list of such values, given in JSON. Raises ValueError with a reason that follows a field's name."""
    try:
        value = json.loads(cell)
    except ValueError:
        raise ValueError(f"are no list of {what} in JSON") from None
    if not isinstance(value, list) or not all(isinstance(one, of) and not _is_odd(one, of) for one in value):
        raise ValueError(f"are no list of {what}")
    return value


def words(cell: str) -> list[str]:
    """A list of texts in JSON, or texts with blanks between them."""
    if cell.lstrip().startswith("["):
        return json_list(cell, str, "texts")
    if cell.lstrip().startswith("{") and _is_object(cell):
        raise ValueError("are an object, no list of texts")
    return cell.split()


def unparsed(values: Iterable[Any]) -> list[str | None]:
    """Values as cells that `parse` reads: what is no text as JSON."""
    return [
        value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values
    ]


def _is_object(cell: str) -> bool:
    try:
        return isinstance(json.loads(cell), dict)
    except ValueError:
        return False


def _is_odd(value: object, of: type | tuple[type, ...]) -> bool:
    """JSON's true and false are numbers to Python."""
    kinds = of if isinstance(of, tuple) else (of,)
    return isinstance(value, bool) and bool not in kinds


def _reason(error: Exception) -> str:
    return str(error).strip() or "cannot be read"
