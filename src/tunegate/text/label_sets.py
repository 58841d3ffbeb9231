"""Sets of labels: how a file's cell says one, and how people read one."""

import json

from tunegate.records import EMPTY_SET, SET_SEPARATOR

Names = list[str]


def label_set(cell: str) -> Names:
    """A list in JSON, or an object of labels that are 1 or 0 each (`{"baking": 1, "eggs": 0}`); the labels in
    alphabetical order, so that two rows with the same ones are equal. An empty cell is the empty set.

    Raises ValueError with a reason that follows the field's name.
    """
    if not cell.strip():
        return []
    try:
        value = json.loads(cell)
    except ValueError:
        raise ValueError(
            "are no list in JSON (cells of names with a character between them: ingest.label_delimiter)"
        ) from None
    if isinstance(value, dict):
        value = _held(value)
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("are no list of texts, nor an object of labels that are 1 or 0")
    return sorted(value)


def _held(said: dict[str, object]) -> Names:
    if not all(isinstance(value, bool | int | float) and value in (0, 1) for value in said.values()):
        raise ValueError("are an object whose values are not all 1 or 0")
    return [name for name, value in said.items() if value == 1]


def read_set(said: str) -> Names:
    """What `records.told_set` says, in alphabetical order."""
    if said.strip() == EMPTY_SET:
        return []
    return sorted(name.strip() for name in said.split(SET_SEPARATOR.strip()))
