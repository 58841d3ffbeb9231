"""Rows as a file that people edit in a spreadsheet or an editor: CSV or JSON lines, by the file's ending."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunegate.errors import UserError


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> int:
    """Write the rows with those columns; how many they were. Raises UserError for another ending."""
    count = 0
    as_json = _is_json(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8" if as_json else "utf-8-sig", newline="") as file:  # Excel wants the mark
        writer = csv.writer(file)
        if not as_json:
            writer.writerow(columns)
        for row in rows:
            values = {name: row.get(name) for name in columns}
            if as_json:
                file.write(json.dumps(values, ensure_ascii=False) + "\n")
            else:
                writer.writerow(["" if value is None else value for value in values.values()])
            count += 1
    return count


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows by column, absent cells left out. Raises UserError for a file that cannot be read."""
    as_json = _is_json(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows: Iterable[Mapping[str, Any]] = (
                [json.loads(line) for line in file if line.strip()] if as_json else csv.DictReader(file)
            )
            return [{str(name): _text(value) for name, value in row.items() if value is not None} for row in rows]
    except (OSError, ValueError, AttributeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read: {error}.", "Give the file as `--export` wrote it, edited.") from error


def check_ending(path: Path) -> None:
    """Raises UserError for a file that could not be written, before the work for it."""
    _is_json(path)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_json(path: Path) -> bool:
    if path.suffix.lower() not in (".csv", ".jsonl"):
        raise UserError(f"{path.name} ends neither in .csv nor in .jsonl.", "Name it so that it says what it is.")
    return path.suffix.lower() == ".jsonl"
