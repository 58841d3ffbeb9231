"""A sentence's arcs as its windows scored them, and the tree that is read off them with how sure each word of it is."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunegate.text.spanning import IMPOSSIBLE, best_tree
from tunegate.text.word_pairs import Stand, asked, candidates
from tunegate.windows import Arrays, Windows

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class ArcScores:
    """Of n words, [n + 1, n + 1] each, that word d (first axis) hangs on h (0 is the root): `head` the log probability,
    of minus infinity where nobody was asked; the best relation's number, and its probability if h is the head."""

    head: Floats
    relation: Numbers
    relation_probability: Floats


@dataclass(frozen=True)
class FoundTree:
    """Of each word [n]: its head and relation, their probabilities (of the relation: if the head is right), how far the
    decision lies above the next one, and `levels` [n, 3], which change little where scores do: the two highest
    probabilities of a head, and that of the relation, whatever the head."""

    heads: Numbers
    relations: Numbers
    head_probability: Floats
    relation_probability: Floats
    gap: Floats
    levels: Floats


@dataclass(frozen=True)
class _Window:
    """Places in one window: of the words that it answers for, and of what may be their heads."""

    asked: Stand
    able: Stand

    def logits(self, arcs: NDArray[np.generic]) -> Floats:
        """[asked, able], minus infinity for a word on itself."""
        found = np.asarray(arcs, dtype=np.float64)[np.ix_(self.asked.local, self.able.local)]
        found[self.asked.local[:, None] == self.able.local] = IMPOSSIBLE
        return found


def arc_scores(outputs: Arrays, windows: Windows, sizes: Numbers, temperature: float) -> Iterator[ArcScores]:
    """Of each record in turn, which has `sizes` [r] words. Outputs as the biaffine head gives them, per window [l, l].

    Each word was asked in one window alone, so that its probabilities are those over what that window holds.
    """
    places = list(_places(windows))
    starts = windows.starts(len(sizes))
    for record, size in enumerate(sizes.tolist()):
        scores = _nothing_asked(size)
        for number in range(starts[record], starts[record + 1]):
            place, arcs = places[number], outputs["arcs"][number]
            at = np.ix_(place.asked.word, place.able.word)
            local = np.ix_(place.asked.local, place.able.local)
            scores.head[at] = _log_softmax(place.logits(arcs) / temperature)
            scores.relation[at] = np.rint(outputs["relations"][number][local]).astype(np.int64)
            scores.relation_probability[at] = np.exp(np.asarray(outputs["relation_scores"][number][local], np.float64))
        yield scores


def asked_logits(outputs: Arrays, windows: Windows, heads: list[Numbers], most: int) -> tuple[Floats, Numbers]:
    """Of at most so many words, spread over all: the scores of what may be their heads [k, w] (minus infinity where
    there is less), and which of them is the head [k], -1 where the window lacks it. `heads` are the records'."""
    found: list[tuple[Floats, int]] = []
    places = list(_places(windows))
    step = max(1, -(-sum(len(place.asked.word) for place in places) // most))
    passed = 0
    for number, place in enumerate(places):
        chosen = np.flatnonzero((np.arange(len(place.asked.word)) + passed) % step == 0)
        passed += len(place.asked.word)
        logits = place.logits(outputs["arcs"][number])[chosen] if len(chosen) else np.zeros((0, 0))
        wanted = heads[windows.record[number]][place.asked.word[chosen] - 1]
        at = [int(np.flatnonzero(place.able.word == head)[0]) if head in place.able.word else -1 for head in wanted]
        found += zip(logits, at, strict=True)
    table = np.full((len(found), max((len(row) for row, _ in found), default=1)), IMPOSSIBLE)
    for row, (logits, _) in enumerate(found):
        table[row, : len(logits)] = logits
    return table, np.array([head for _, head in found], dtype=np.int64)


def read_tree(scores: ArcScores) -> FoundTree:
    """The best tree by the heads' probabilities, and in it each arc's best relation."""
    heads = best_tree(scores.head)
    words = np.arange(1, len(heads) + 1)
    chances = np.exp(scores.head[1:])
    own = chances[words - 1, heads]
    others = chances.copy()
    others[words - 1, heads] = 0.0
    relation = scores.relation_probability[words, heads]
    best = -np.sort(-np.pad(chances, ((0, 0), (0, 1))), axis=1)  # no words: no second head either
    levels = np.stack([best[:, 0], best[:, 1], (chances * scores.relation_probability[1:]).sum(axis=1)], axis=1)
    return FoundTree(
        heads=heads,
        relations=scores.relation[words, heads],
        head_probability=own,
        relation_probability=relation,
        # All other relations together are at least as probable as the next one.
        gap=np.maximum(0.0, np.minimum(own - others.max(axis=1), 2 * relation - 1)),
        levels=levels,
    )


def _places(windows: Windows) -> Iterator[_Window]:
    both = [(stand, stand.starts(len(windows))) for stand in (asked(windows), candidates(windows))]
    for number in range(len(windows)):
        parts = [_part(stand, starts[number], starts[number + 1]) for stand, starts in both]
        yield _Window(*parts)


def _part(stand: Stand, start: int, end: int) -> Stand:
    return Stand(*(values[start:end] for values in (stand.flat, stand.window, stand.local, stand.word)))


def _nothing_asked(size: int) -> ArcScores:
    shape = (size + 1, size + 1)
    return ArcScores(np.full(shape, IMPOSSIBLE), np.zeros(shape, dtype=np.int64), np.zeros(shape))


def _log_softmax(logits: Floats) -> Floats:
    if not logits.size:
        return logits
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
