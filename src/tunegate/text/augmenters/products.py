"""Tables of new rows from tables of training rows. A new row keeps its parent's label, group, source and weight."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunegate.text.augmenters import Recipe, changed_text, product_id, random_source
from tunegate.text.normalise import near_keys

COPY = "copy"


@dataclass
class Copies:
    """Rows of rare labels again, `extra` times by label: drawn more often, or (`as_rows`) as rows of their own."""

    extra: Mapping[str, int]
    label: str
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
        labels = pc.dictionary_encode(parents[self.label].combine_chunks())
        by_label = np.array([self.extra.get(label, 0) for label in labels.dictionary.to_pylist()], dtype=np.int64)
        return np.asarray(by_label[labels.indices.to_numpy()])


@dataclass
class Products:
    """New texts by the operations, `counts` of each per row; none that equals a held-out text, parent or sibling."""

    counts: Mapping[str, int]
    recipe: Recipe
    texts: tuple[str, ...]
    held_out: frozenset[int]  # keys (`text.normalise.near_keys`)
    made: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)

    def rows(self, parents: pa.Table) -> pa.Table:
        """The products of these rows, in the rows' order."""
        made = list(self._made(parents.select(["id", *self.texts]).to_pylist())) if self.counts else []
        place = np.array([number for number, *_ in made], dtype=np.int64)
        operations = [operation for _, operation, _, _ in made]
        children = _children(parents, place, operations, np.array([number for _, _, number, _ in made], dtype=np.int64))
        for name in self.texts:
            column = children.schema.get_field_index(name)
            cells = pa.array([texts[name] for *_, texts in made], children.schema.field(name).type)
            children = children.set_column(column, children.schema.field(column), cells)
        return self._without_equals(children, parents, place)

    def _made(self, rows: list[dict[str, Any]]) -> Iterator[tuple[int, str, int, dict[str, Any]]]:
        """Place of the parent, operation, number, and the texts."""
        for place, row in enumerate(rows):
            for operation, count in self.counts.items():
                for number in range(1, count + 1):
                    random = random_source(self.recipe.seed, row["id"], operation, number)
                    yield place, operation, number, self._changed(row, operation, random)

    def _changed(self, row: Mapping[str, Any], operation: str, random: Random) -> dict[str, Any]:
        """One of the row's texts changed: of a pair, either may be."""
        name = random.choice([name for name in self.texts if row[name] is not None])
        return {**row, name: changed_text(row[name], operation, self.recipe, random)}

    def _without_equals(self, children: pa.Table, parents: pa.Table, place: NDArray[np.int64]) -> pa.Table:
        keys = self._keys(children)
        parent_keys = self._keys(parents)[place]
        operations = children["operation"].to_pylist()
        seen: set[tuple[int, int]] = set()
        kept = np.zeros(len(keys), dtype=bool)
        for number, (key, parent, parent_key) in enumerate(
            zip(keys.tolist(), place.tolist(), parent_keys.tolist(), strict=True)
        ):
            kept[number] = key != parent_key and key not in self.held_out and (parent, key) not in seen
            seen.add((parent, key))
            (self.made if kept[number] else self.rejected)[operations[number]] += 1
        return children.filter(pa.array(kept))

    def _keys(self, table: pa.Table) -> NDArray[np.uint64]:
        return near_keys([table[name].combine_chunks() for name in self.texts])


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
