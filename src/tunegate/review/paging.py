"""One page of a long table: only its rows leave the columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pyarrow as pa

T = TypeVar("T")


@dataclass(frozen=True)
class Paged(Generic[T]):
    """`rows` of page `number` (from 1) of `pages`; `total` rows in all, the first of these being row `start`."""

    rows: Sequence[T]
    number: int
    pages: int
    total: int
    start: int

    @property
    def numbers(self) -> list[int | None]:
        """Pages to link to: the first, the last, those around this one; None is a gap."""
        near = {1, self.pages, *range(self.number - 2, self.number + 3)}
        found: list[int | None] = []
        for number in sorted(number for number in near if 1 <= number <= self.pages):
            if found and found[-1] is not None and number > found[-1] + 1:
                found.append(None)
            found.append(number)
        return found


def paged(table: pa.Table, number: int, size: int) -> Paged[Mapping[str, Any]]:
    """A number outside the pages is brought to the nearest one: a filter may have made them fewer."""
    pages = max(1, -(-len(table) // size))
    number = min(max(1, number), pages)
    start = (number - 1) * size
    return Paged(table.slice(start, size).to_pylist(), number, pages, len(table), start + 1)
