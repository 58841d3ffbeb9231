"""Trees that little effort gives, to measure parsers by: from counts of words, distances and relations in training."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.text.arc_scores import ArcScores, FoundTree, read_tree
from tunegate.text.spanning import ROOT

Value = TypeVar("Value")
Words = Sequence[str]
SMOOTHING = 0.1  # a distance that a word never had in training is a tenth of one that it had once
ON_ROOT = None  # the distance to the root


def usual_trees(train: pa.Table, asked: Sequence[Words], labels: list[str]) -> list[FoundTree]:
    """Every word at the most frequent distance from its head, in the most frequent relation; on the root where the
    sentence ends before."""
    counts = _Counted(train)
    far = Counter({each: times for each, times in counts.distances.items() if each is not ON_ROOT})
    distance, often = _most(far or Counter({-1: 1}))
    relation, share = _most(counts.relations)
    trees = []
    for words in asked:
        heads = np.arange(1, len(words) + 1) + distance
        heads[(heads < 1) | (heads > len(words))] = ROOT
        trees.append(_tree(heads, [labels.index(relation)] * len(words), often, [share] * len(words)))
    return trees


def neighbour_trees(train: pa.Table, asked: Sequence[Words], labels: list[str]) -> list[FoundTree]:
    """Every word on the word to its left, the first on the root, in the relation that it has most often."""
    counts = _Counted(train)
    often = counts.distances[-1] / max(1, counts.distances.total())
    trees = []
    for words in asked:
        found = [_most(counts.relations_of.get(word.lower()) or counts.relations) for word in words]
        numbers = [labels.index(relation) for relation, _ in found]
        trees.append(_tree(np.arange(len(words)), numbers, often, [share for _, share in found]))
    return trees


def likely_trees(train: pa.Table, asked: Sequence[Words], labels: list[str]) -> list[FoundTree]:
    """The best tree where an arc's probability is how often the word had its head at that distance, and the relation
    the one that the word has most often."""
    counts = _Counted(train)
    return [read_tree(_likely(counts, words, labels)) for words in asked]


class _Counted:
    """Training words: how far their heads are and what their relations are, of all and by lower-case word."""

    def __init__(self, train: pa.Table) -> None:
        self.distances: Counter[int | None] = Counter()
        self.relations: Counter[str] = Counter()
        self.distances_of: dict[str, Counter[int | None]] = {}
        self.relations_of: dict[str, Counter[str]] = {}
        for row in train.select(["tokens", "heads", "relations"]).to_pylist():
            self._add(zip(row["tokens"], row["heads"], row["relations"], strict=True))

    def _add(self, arcs: Iterable[tuple[str, int, str]]) -> None:
        for place, (word, head, relation) in enumerate(arcs, start=1):
            distance = ON_ROOT if head == ROOT else head - place
            self.distances[distance] += 1
            self.relations[relation] += 1
            self.distances_of.setdefault(word.lower(), Counter())[distance] += 1
            self.relations_of.setdefault(word.lower(), Counter())[relation] += 1


def _likely(counts: _Counted, words: Words, labels: list[str]) -> ArcScores:
    size = len(words)
    chances, relation = np.zeros((size + 1, size + 1)), np.zeros((size + 1, size + 1), dtype=np.int64)
    share = np.zeros((size + 1, size + 1))
    everywhere = counts.distances.total()
    for place, word in enumerate(words, start=1):
        own = counts.distances_of.get(word.lower(), Counter())
        for head in range(size + 1):
            distance = ON_ROOT if head == ROOT else head - place
            usual = (counts.distances[distance] + SMOOTHING) / everywhere
            chances[place, head] = 0.0 if head == place else own[distance] + usual
        chances[place] /= chances[place].sum()
        found, often = _most(counts.relations_of.get(word.lower()) or counts.relations)
        relation[place], share[place] = labels.index(found), often
    with np.errstate(divide="ignore"):
        return ArcScores(np.log(chances), relation, share)


def _tree(heads: NDArray[np.int64], relations: list[int], often: float, shares: list[float]) -> FoundTree:
    """Without a look at the sentence: each head is as probable as its distance."""
    count = len(heads)
    sure, relation = np.full(count, often), np.array(shares, dtype=np.float64)
    levels = np.stack([sure, np.zeros(count), relation], axis=1)
    return FoundTree(heads, np.array(relations, dtype=np.int64), sure, relation, np.zeros(count), levels)


def _most(counter: Counter[Value]) -> tuple[Value, float]:
    """The most frequent and its share; of equally frequent ones the first by its text."""
    best = min(counter, key=lambda each: (-counter[each], str(each)))
    return best, counter[best] / counter.total()
