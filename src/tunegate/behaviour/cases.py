"""The cases of a test: filled templates, and test rows drawn so that a new row changes no other draw.

Everything random comes from a hash of the seed, the test's name and the case itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from tunegate.behaviour.perturbations import added, perturbed
from tunegate.behaviour.schema import BehaviourFile, Direction, Drawn, Invariance, MinimumFunctionality, Test
from tunegate.behaviour.templates import fill
from tunegate.errors import UserError, did_you_mean

Record = dict[str, Any]
"""A question; its fields are texts, but for those that no test changes (lists, as tuples)."""

ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class Case:
    """A question, and the questions that it is compared with: none where the answer is known."""

    row: str | None
    record: Record
    changed: tuple[Record, ...] = ()


@dataclass(frozen=True)
class Source:
    """Where cases come from: the file's lists, the pipeline's test rows, the task's text fields (the first is the
    one that a template without fields fills), the seed, and the question's other fields, which go with a row."""

    file: BehaviourFile
    rows: pa.Table
    fields: tuple[str, ...]
    seed: int
    beside: tuple[str, ...] = ()

    def number(self, *parts: str) -> int:
        """A hash of the seed and the parts."""
        return xxhash.xxh3_64_intdigest("\x1f".join((str(self.seed), *parts)).encode())

    def random(self, *parts: str) -> Random:
        return Random(self.number(*parts))


def cases_of(name: str, test: Test, source: Source) -> list[Case]:
    """All cases of the test. What the perturbation does not change is no case. Raises UserError."""
    made = _made(name, test, source)
    if isinstance(test, MinimumFunctionality):
        return [Case(None, record) for record in made]
    cases = [case for record in made if (case := _changed(None, record, name, test, source))]
    return [*cases, *_drawn(name, test, source)]


def _made(name: str, test: Test, source: Source) -> list[Record]:
    filled = fill(test.templates, source.file.lists, test.count, source.random(name, "templates"))
    first = source.fields[0]
    return [{field or first: text for field, text in texts.items()} for _, texts in filled]


def _drawn(name: str, test: Drawn, source: Source) -> list[Case]:
    """The first rows in the order of their hashes that the test has something to change in."""
    cases: list[Case] = []
    for row, record in _shuffled(name, test, source) if test.rows else ():
        if case := _changed(row, record, name, test, source):
            cases.append(case)
        if len(cases) == test.rows:
            break
    return cases


def _shuffled(name: str, test: Drawn, source: Source) -> Iterator[tuple[str, Record]]:
    # One order for all tests, so that they share what they ask of the rows as they are.
    table = _filtered(source.rows, test.where, name)
    ids = [str(row) for row in table["id"].to_pylist()]
    order = sorted(range(len(ids)), key=lambda number: source.number(ids[number]))
    asked = [field for field in (*source.fields, *source.beside) if field in table.column_names]
    for start in range(0, len(order), ROWS_AT_ONCE):
        chosen = order[start : start + ROWS_AT_ONCE]
        for number, row in zip(chosen, table.select(asked).take(chosen).to_pylist(), strict=True):
            yield ids[number], {field: _fixed(value) for field, value in row.items() if value is not None}


def _fixed(value: Any) -> Any:
    """Lists as tuples, so that equal questions are one."""
    return tuple(map(_fixed, value)) if isinstance(value, list) else value


def _filtered(rows: pa.Table, where: Mapping[str, str], name: str) -> pa.Table:
    for column, value in where.items():
        if column not in rows.column_names:
            raise UserError(
                f'The behaviour test "{name}" chooses rows by "{column}", which is no column of the test rows.'
                f"{did_you_mean(column, rows.column_names)}",
                f"Choose among: {', '.join(rows.column_names)}.",
            )
        rows = rows.filter(pc.fill_null(pc.equal(rows[column].cast(pa.string()), value), False))
    return rows


def _changed(row: str | None, record: Record, name: str, test: Drawn, source: Source) -> Case | None:
    """The case with its changed copies; None where there is nothing to change."""
    fields = [field for field in test.fields or source.fields if field in record]
    key = row if row is not None else "\x1f".join(map(str, record.values()))
    copies = [
        _copy(record, fields, test, source.random(name, key, str(number)), source)
        for number in range(test.copies if isinstance(test, Invariance) else 1)
    ]
    different = {
        tuple(copy.items()): copy for copy in copies if copy != record and all(copy[field].strip() for field in fields)
    }
    return Case(row, record, tuple(different.values())) if different else None


def _copy(record: Record, fields: Sequence[str], test: Drawn, random: Random, source: Source) -> Record:
    if isinstance(test, Direction):
        return {**record, fields[0]: added(record[fields[0]], random.choice(test.add), test.at)} if fields else record
    if not isinstance(test, Invariance):
        raise TypeError(f"{type(test).__name__} changes nothing")
    changes = {field: perturbed(record[field], test.perturb, random, source.file.lists) for field in fields}
    return {**record, **changes}
