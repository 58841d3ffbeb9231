"""A field that is a list and has a column per member (`OptionA`, `OptionB`, ...): the columns become one."""

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tunegate.errors import UserError, did_you_mean
from tunegate.text.readers.rows import Chunk, Rows, table_of


def with_lists(chunks: Iterator[Chunk], lists: Mapping[str, Sequence[str]], source: str) -> Iterator[Chunk]:
    """The chunks with a column for each list, JSON texts, in the place of its members' columns.

    Empty cells at the end of a row are members that it does not have; an empty one before others stays. Raises
    UserError for columns that are not there.
    """
    known = False
    for chunk in chunks:
        if chunk.rows.columns.num_columns and not known:
            _check(chunk.rows.columns.schema.names, lists, source)
            known = True
        yield _joined(chunk, lists) if known else chunk


def _check(found: Sequence[str], lists: Mapping[str, Sequence[str]], source: str) -> None:
    for field, columns in lists.items():
        for column in columns:
            if column not in found:
                raise UserError(
                    f'ingest.lists: {source} has no column "{column}" (for {field}).{did_you_mean(column, found)} '
                    f"Its columns are: {', '.join(map(repr, found))}.",
                    f"Correct ingest.lists.{field} in params.yaml.",
                )
        if field in found and field not in columns:
            raise UserError(
                f'ingest.lists makes a column "{field}", and {source} has one of that name already.',
                f"Take ingest.lists.{field} out, or rename the column in the file.",
            )


def _joined(chunk: Chunk, lists: Mapping[str, Sequence[str]]) -> Chunk:
    rows = chunk.rows
    taken = {column for columns in lists.values() for column in columns}
    cells = {name: column.to_pylist() for name, column in zip(rows.columns.schema.names, rows.columns, strict=True)}
    kept = {name: values for name, values in cells.items() if name not in taken}
    literals = {name: marks for name, marks in rows.literals.items() if name in kept}
    for field, columns in lists.items():
        members = [
            [cells.get(name, [None] * len(rows.lines))[row] for name in columns] for row in range(len(rows.lines))
        ]
        kept[field] = [json.dumps(_ended(row), ensure_ascii=False) for row in members]
        literals[field] = np.ones(len(rows.lines), dtype=bool)
    table = table_of(list(kept), list(kept.values()))
    return Chunk(Rows(table, rows.lines, rows.offsets, literals), chunk.rejects, chunk.split, chunk.place)


def _ended(members: Sequence[str | None]) -> list[str]:
    whole = [member or "" for member in members]
    while whole and not whole[-1].strip():
        whole.pop()
    return whole
