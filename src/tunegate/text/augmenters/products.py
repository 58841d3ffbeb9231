"""Tables of new rows from tables of training rows. A new row keeps its parent's label, group, source and weight."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunegate.records import as_text
from tunegate.text.augmenters import ROW_OPERATIONS, Recipe, changed_text, product_id, random_source
from tunegate.text.near import NOBODY, KnownTexts
from tunegate.text.normalise import near_keys

COPY = "copy"
UNTRAINED = -1  # the group of the held-out rows
OWN, HELD_OUT, OTHER_LABEL = "equals its parent or a sibling", "is near a held-out row", "is near another label's row"


@dataclass
class Copies:
    """Rows of rare labels again, `extra` times by label: drawn more often, or (`as_rows`) as rows of their own."""

    extra: Mapping[str, int]
    label: str | None  # the column with one label per row, where there is one
    as_rows: bool
    made: Counter[str] = field(default_factory=Counter)
    weighted_rows: int = 0

    def weighted(self, parents: pa.Table) -> pa.Table:
        """The rows themselves, with their sampling weight."""
        extra = self._extra(parents)
        if self.as_rows or not extra.any():
            return parents
        self.weighted_rows += int((extra > 0).sum())
        weights = parents["weight"].to_numpy() * (1 + extra)
        number = parents.schema.get_field_index("weight")
        return parents.set_column(number, parents.schema.field(number), pa.array(weights, pa.float32()))

    def rows(self, parents: pa.Table) -> pa.Table:
        """The copies, none where weights do their work."""
        extra = self._extra(parents) if self.as_rows else np.zeros(len(parents), dtype=np.int64)
        place = np.repeat(np.arange(len(parents)), extra)
        number = np.arange(len(place)) - np.repeat(np.cumsum(extra) - extra, extra) + 1
        if self.as_rows:
            self.made[COPY] += len(place)
        return _children(parents, place, [COPY] * len(place), number)

    def _extra(self, parents: pa.Table) -> NDArray[np.int64]:
        if self.label is None:
            return np.zeros(len(parents), dtype=np.int64)
        labels = pc.dictionary_encode(parents[self.label].combine_chunks())
        by_label = np.array([self.extra.get(label, 0) for label in labels.dictionary.to_pylist()], dtype=np.int64)
        return np.asarray(by_label[labels.indices.to_numpy()])


@dataclass
class Products:
    """New rows by the operations, `counts` of each per row.

    None equals its parent or a sibling, nor equals or nearly equals a held-out row or a training row of another label.
    """

    counts: Mapping[str, int]
    recipe: Recipe
    texts: tuple[str, ...]
    known: "Known"
    made: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def rows(self, parents: pa.Table) -> pa.Table:
        """The products of these rows, in the rows' order."""
        changed = self._columns()
        made = list(self._made(parents.select(["id", *changed]).to_pylist())) if self.counts else []
        place = np.array([number for number, *_ in made], dtype=np.int64)
        operations = [operation for _, operation, _, _ in made]
        children = _children(parents, place, operations, np.array([number for _, _, number, _ in made], dtype=np.int64))
        for name in changed:
            column = children.schema.get_field_index(name)
            cells = pa.array([row[name] for *_, row in made], children.schema.field(name).type)
            children = children.set_column(column, children.schema.field(column), cells)
        return self._without_equals(children, parents, place)

    def _columns(self) -> list[str]:
        """Those that an operation may change."""
        more = [
            name
            for operation in self.counts
            if operation in ROW_OPERATIONS
            for name in ROW_OPERATIONS[operation].columns
        ]
        return list(dict.fromkeys([*self.texts, *more]))

    def _made(self, rows: list[dict[str, Any]]) -> Iterator[tuple[int, str, int, dict[str, Any]]]:
        """Place of the parent, operation, number, and the columns' values."""
        for place, row in enumerate(rows):
            for operation, count in self.counts.items():
                for number in range(1, count + 1):
                    random = random_source(self.recipe.seed, row["id"], operation, number)
                    yield place, operation, number, self._changed(row, operation, random)

    def _changed(self, row: Mapping[str, Any], operation: str, random: Random) -> dict[str, Any]:
        """The whole row changed, or one of its texts: of a pair, either may be."""
        if operation in ROW_OPERATIONS:
            return {**row, **ROW_OPERATIONS[operation].change(row, random)}
        name = random.choice([name for name in self.texts if row[name] is not None])
        return {**row, name: changed_text(row[name], operation, self.recipe, random)}

    def _without_equals(self, children: pa.Table, parents: pa.Table, place: NDArray[np.int64]) -> pa.Table:
        reasons = self._reasons(children, parents, place)
        for operation, reason in zip(children["operation"].to_pylist(), reasons, strict=True):
            (self.rejected if reason else self.made)[operation] += 1
            self.reasons.update([reason] if reason else [])
        return children.filter(pa.array([reason is None for reason in reasons], pa.bool_()))

    def _reasons(self, children: pa.Table, parents: pa.Table, place: NDArray[np.int64]) -> list[str | None]:
        """Per child, why it is rejected; None where it is not."""
        keys, parent_keys = self._keys(children).tolist(), self._keys(parents)[place].tolist()
        twins = self.known.twins(children).tolist()
        seen: set[tuple[int, int]] = set()
        reasons: list[str | None] = []
        for key, parent, parent_key, twin in zip(keys, place.tolist(), parent_keys, twins, strict=True):
            own = key == parent_key or (parent, key) in seen
            reasons.append(OWN if own else None if twin == NOBODY else HELD_OUT if twin == UNTRAINED else OTHER_LABEL)
            seen.add((parent, key))
        return reasons

    def _keys(self, table: pa.Table) -> NDArray[np.uint64]:
        return near_keys([as_text(table[name]) for name in self.texts])


class Known:
    """All raw rows: those of training in groups by label, the held-out ones in one that is nobody's own."""

    def __init__(self, train: pa.Table, held_out: pa.Table, texts: Sequence[str], label: str | None) -> None:
        """Both tables hold the columns `texts`; `train` has the column `label` too, where there is one."""
        self._texts, self._label = tuple(texts), label
        names = pc.unique(train[label]).to_pylist() if label else []
        self._numbers = {name: number for number, name in enumerate(names)}
        groups = np.concatenate([self._groups(train), np.full(len(held_out), UNTRAINED, dtype=np.int64)])
        self._index = KnownTexts(self._columns(pa.concat_tables([train.select(self._texts), held_out])), groups)

    def twins(self, table: pa.Table) -> NDArray[np.int64]:
        """As `KnownTexts.twins`, for rows with one of training's labels."""
        return self._index.twins(self._columns(table), self._groups(table))

    def _columns(self, table: pa.Table) -> list[pa.Array]:
        return [as_text(table[name]) for name in self._texts]

    def _groups(self, table: pa.Table) -> NDArray[np.int64]:
        """Rows of one label; without labels every training row is of the same group."""
        if self._label is None:
            return np.zeros(len(table), dtype=np.int64)
        return np.array([self._numbers[name] for name in table[self._label].to_pylist()], dtype=np.int64)


def _children(
    parents: pa.Table, place: NDArray[np.int64], operations: list[str], numbers: NDArray[np.int64]
) -> pa.Table:
    """The rows at these places as rows made by an operation."""
    children = parents.take(pa.array(place))
    ids = children["id"].to_pylist()
    cells = {
        "id": [product_id(*made) for made in zip(ids, operations, numbers.tolist(), strict=True)],
        "origin": operations,
        "parent_id": ids,
        "operation": operations,
    }
    for name, values in cells.items():
        number = children.schema.get_field_index(name)
        children = children.set_column(number, children.schema.field(number), pa.array(values, pa.string()))
    return children
