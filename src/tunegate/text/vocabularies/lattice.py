"""All ways to cut words into pieces, at once: a node before and after each character, an edge for each piece.

Numbers are added in one fixed order, so that the same words give the same sums whatever the threads.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Lattice:
    """`first`, `last` and `piece` of each edge, int64 [e], by the place in the word where it ends; `place` [nodes] of a
    node in its word; `start` and `end` [words] are the nodes around each word."""

    first: Ints
    last: Ints
    piece: Ints
    place: Ints
    start: Ints
    end: Ints

    @classmethod
    def of(cls, words: Sequence[str], pieces: Mapping[str, int], longest: int, *, whole: bool = True) -> "Lattice":
        """Pieces by number; each character of the words must be one. `whole`: a word may be one piece itself."""
        lengths = np.array([len(word) for word in words], dtype=np.int64)
        start = np.cumsum(lengths + 1) - (lengths + 1)
        edges = array("q")  # three numbers each: a list of tuples would take ten times the memory
        for node, word in zip(start.tolist(), words, strict=True):
            size = len(word)
            for at in range(size):
                for to in range(at + 1, min(size, at + longest) + 1):
                    number = pieces.get(word[at:to])
                    if number is not None and (whole or to - at < size or size == 1):
                        edges.extend((node + at, node + to, number))
        table = np.frombuffer(edges, dtype=np.int64).reshape(-1, 3) if edges else np.zeros((0, 3), dtype=np.int64)
        place = np.arange(int((lengths + 1).sum())) - np.repeat(start, lengths + 1)
        table = table[np.lexsort((table[:, 0], table[:, 1], place[table[:, 1]]))]
        return cls(table[:, 0], table[:, 1], table[:, 2], place, start, start + lengths)

    def with_pieces(self, alive: NDArray[np.bool_]) -> "Lattice":
        """Without the edges of other pieces."""
        kept = alive[self.piece]
        return Lattice(self.first[kept], self.last[kept], self.piece[kept], self.place, self.start, self.end)

    def expected(self, scores: Floats, counts: Floats) -> Floats:
        """How often each piece is met in all ways to cut, weighed by their probability; `counts` of the words."""
        edge = scores[self.piece]
        before, after = self._sums(edge, forward=True), self._sums(edge, forward=False)
        word = np.repeat(np.arange(len(self.start)), self.end - self.start + 1)[self.first]
        share = np.exp(before[self.first] + edge + after[self.last] - before[self.end][word])
        weights: Floats = share * counts[word]
        found: Floats = np.bincount(self.piece, weights=weights, minlength=len(scores)).astype(np.float64)
        return found

    def best(self, scores: Floats) -> tuple[Ints, Ints]:
        """The likeliest way to cut each word: the pieces in it, and for each the number of its word."""
        edge = scores[self.piece]
        sums = np.zeros(len(self.place))
        chosen = np.full(len(self.place), -1, dtype=np.int64)
        for begin, stop in self._groups(self.place[self.last]):
            values = sums[self.first[begin:stop]] + edge[begin:stop]
            nodes, heads = np.unique(self.last[begin:stop], return_index=True)
            sums[nodes] = np.maximum.reduceat(values, heads)
            top = np.flatnonzero(values == np.repeat(sums[nodes], np.diff(np.append(heads, len(values)))))[::-1]
            chosen[self.last[begin:stop][top]] = begin + top  # backwards: of equals the first stays
        words, nodes, pieces, owners = np.arange(len(self.start)), self.end, [], []
        while len(nodes):
            edges = chosen[nodes]
            pieces.append(self.piece[edges])
            owners.append(words)
            left = self.place[self.first[edges]] > 0
            words, nodes = words[left], self.first[edges][left]
        return np.concatenate(pieces), np.concatenate(owners)

    def _sums(self, edge: Floats, *, forward: bool) -> Floats:
        """Log of the summed probability of all ways from the word's start to each node, or from it to the end."""
        here, there = (self.last, self.first) if forward else (self.first, self.last)
        order = np.arange(len(edge)) if forward else np.lexsort((self.last, self.first, -self.place[self.first]))
        here, there, edge = here[order], there[order], edge[order]
        sums = np.zeros(len(self.place))
        for begin, stop in self._groups(self.place[here]):
            nodes, heads = np.unique(here[begin:stop], return_index=True)
            sums[nodes] = np.logaddexp.reduceat(sums[there[begin:stop]] + edge[begin:stop], heads)
        return sums

    @staticmethod
    def _groups(places: Ints) -> list[tuple[int, int]]:
        """Where runs of edges begin and stop that meet at one place of their words."""
        cuts = np.flatnonzero(np.diff(places)) + 1
        return list(zip([0, *cuts.tolist()], [*cuts.tolist(), len(places)], strict=True)) if len(places) else []
