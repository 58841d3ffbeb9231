"""Options to choose from: how files give them and the right one, and how one is put beside its question."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from tunegate.text.blanks import count_blanks, filled
from tunegate.text.values import json_list

FEWEST = 2
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LONGEST_SHOWN = 40  # characters of an answer that a reason quotes


def options(cell: str) -> list[str]:
    """A list of texts in JSON, or an object of them (`{"A": "...", "B": "..."}`) in its order.

    Raises ValueError with a reason that follows the field's name.
    """
    if cell.lstrip().startswith("{") and isinstance(value := _json(cell), dict):
        cell = json.dumps(list(value.values()))
    found: list[str] = json_list(cell, str, "texts")
    if len(found) < FEWEST:
        raise ValueError(f"are fewer than {FEWEST}: with nothing to choose from there is nothing to learn")
    return found


def place_of_answer(cell: str, row: Mapping[str, Any]) -> int:
    """The number, from 0, of the row's option that the cell means: by its text, its letter or its number from 0.

    Where these do not agree the cell must say which it is: `{"text": "2"}` or `{"index": 2}`.
    Raises ValueError with a reason that follows the field's name.
    """
    there: list[str] = row.get("options") or []
    found = _said_outright(cell, there) if cell.lstrip().startswith("{") else _meant(cell.strip(), there)
    if len(found) > 1:
        raise ValueError(
            f"{_quoted(cell)} may be more than one option ({' or '.join(f'number {place}' for place in sorted(found))} "
            'from 0): write {"index": ...}, or make the options differ'
        )
    if not found:
        near = get_close_matches(cell, there, n=1)
        hint = f" (did you mean {_quoted(near[0])}?)" if near else ""
        raise ValueError(
            f"{_quoted(cell)} is none of its {len(there)} options{hint}: give an option's text, its letter (A is the "
            "first) or its number (0 is the first; ingest.first_option: 1 where your file counts from 1)"
        )
    return found.pop()


def _meant(cell: str, there: Sequence[str]) -> set[int]:
    found = {place for place, option in enumerate(there) if option.strip() == cell}
    number = int(cell) if cell.isascii() and cell.isdecimal() else None
    letter = LETTERS.index(cell.upper()) if len(cell) == 1 and cell.upper() in LETTERS else None
    return found | {place for place in (number, letter) if place is not None and place < len(there)}


def _said_outright(cell: str, there: Sequence[str]) -> set[int]:
    value = _json(cell)
    if not isinstance(value, dict):
        return _meant(cell.strip(), there)
    index, text = value.get("index"), value.get("text")
    found = {place for place, option in enumerate(there) if isinstance(text, str) and option.strip() == text.strip()}
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(there):
        found.add(index)
    return found


def _json(cell: str) -> Any:
    try:
        return json.loads(cell)
    except ValueError:
        return None


def _quoted(text: str) -> str:
    return repr(text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}...")


def beside(question: str | None, context: str | None, option: str) -> tuple[str, str | None]:
    """One option with its question as a text or a pair of texts.

    An option takes the place of the question's blanks; else it stands after the question, as in the code of SWAG and
    RACE. A context stands first, so that cutting a pair's longer text cuts the context.
    """
    if question and count_blanks(question):
        whole = filled(question, option)
    else:
        whole = f"{question} {option}" if question and context else option
        context = context or question
    return (context, whole) if context else (whole, None)
