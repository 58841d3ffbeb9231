"""Which columns of a person's file hold the members of a field that is a list: said, or named alike with a letter or
number behind (`option1`, `Option B`, `option_c`)."""

import re
from collections.abc import Mapping, Sequence

import pyarrow as pa

from tunegate.records import Payload

FEWEST = 2


def choose_lists(
    payload: Sequence[Payload], samples: Mapping[str, str], given: Mapping[str, str]
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """What must be written in `ingest.lists`, and what was given of other fields.

    `samples` are the file's columns; `given` is field to column, or to several with commas between them.
    """
    lists: dict[str, list[str]] = {}
    for column in payload:
        if not pa.types.is_list(column.type):
            continue
        said = given.get(column.name, "")
        if "," in said and said not in samples:
            lists[column.name] = [name.strip() for name in said.split(",")]
        elif not said and column.name not in samples and (alike := _alike(column.name, samples)):
            lists[column.name] = alike
    return lists, {field: column for field, column in given.items() if field not in lists}


def _alike(field: str, found: Mapping[str, str]) -> list[str]:
    """`option1` and so on for `options`, in the file's order; nothing where there is one alone."""
    member = re.compile(rf"{re.escape(field.removesuffix('s'))}[ _-]?([a-z]|[0-9]{{1,2}})", re.IGNORECASE)
    names = [name for name in found if member.fullmatch(name)]
    return names if len(names) >= FEWEST else []
