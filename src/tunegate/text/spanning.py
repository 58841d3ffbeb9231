"""The best tree over scored arcs: maximum spanning arborescence with exactly one root (Chu and Liu 1965, Edmonds 1967).

In the form for dense graphs that contracts cycles while a path grows (Tarjan 1977): O(n^2).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

ROOT = 0
IMPOSSIBLE = -np.inf

Floats = NDArray[np.float64]
Heads = NDArray[np.int64]


def best_tree(scores: Floats) -> Heads:
    """The heads int64 [n] of words 1 to n that make the tree of the highest sum, with one word on the root 0.

    `scores` [n + 1, n + 1]: that word d (first axis) hangs on h; row 0 and the diagonal are not looked at. Arcs of
    minus infinity are taken only where no tree is without, as few as can be: every word has a head in any case.
    """
    words = len(scores) - 1
    if words == 0:
        return np.zeros(0, dtype=np.int64)
    arcs = _finite(np.array(scores, dtype=np.float64))
    greedy: Heads = arcs[1:].argmax(axis=1).astype(np.int64)
    if is_tree(greedy):
        return greedy
    return _Growth(arcs).heads()


def is_tree(heads: Heads) -> bool:
    """Whether words 1 to n with these heads hang together in one tree, with one word on the root."""
    return int((heads == ROOT).sum()) == 1 and not cyclic(heads)


def cyclic(heads: Heads) -> bool:
    """Whether some word hangs, over others, on itself. Heads must lie between 0 and n."""
    above = np.concatenate([[ROOT], heads])
    for _ in range(len(heads).bit_length()):  # after k doublings everybody is 2^k steps higher
        above = above[above]
    return bool((above != ROOT).any())


def _finite(arcs: Floats) -> Floats:
    """The same choice with finite numbers: what is impossible costs more than all that possible arcs could bring, and a
    second word on the root more than that."""
    words = len(arcs) - 1
    own = np.eye(words + 1, dtype=bool)
    own[ROOT] = True
    possible = np.isfinite(arcs) & ~own
    known = arcs[possible]
    low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    floor = low - (words + 1) * (high - low + 1)
    arcs = np.where(possible, arcs, floor)
    arcs[:, ROOT] -= (words + 1) * (high - floor + 1)
    arcs[own] = IMPOSSIBLE
    return arcs


@dataclass
class _Growth:
    """Nodes 0 to n are the root and the words; each contracted cycle is a node more.

    Of a node, `arcs` [n + 1] is what the best arc from each word (or the root) into it adds to what it has chosen, and
    `enters` the word in it at which that arc ends.
    """

    scores: Floats
    arcs: dict[int, Floats] = field(default_factory=dict)
    enters: dict[int, Heads] = field(default_factory=dict)
    chosen: dict[int, tuple[int, int]] = field(default_factory=dict)  # of a node: the arc's word and its head
    parts: dict[int, list[int]] = field(default_factory=dict)
    within: dict[int, int] = field(default_factory=dict)  # node to the cycle that it is a part of

    def heads(self) -> Heads:
        count = len(self.scores)
        self.node = np.arange(count)  # each word's outermost node
        self.arcs = {word: self.scores[word] for word in range(1, count)}
        self.enters = {word: np.full(count, word) for word in range(1, count)}
        done = {ROOT}
        for word in range(1, count):
            path: list[int] = []
            node = int(self.node[word])
            while node not in done:
                if node in path:
                    node = self._contract(path, path.index(node))
                path.append(node)
                node = int(self.node[self._choose(node)])
            done.update(path)
        return self._expanded(count)

    def _choose(self, node: int) -> int:
        """The head of the node's best arc."""
        arcs = self.arcs[node]
        head = int(arcs.argmax())
        self.chosen[node] = int(self.enters[node][head]), head
        self.arcs[node] = arcs - arcs[head]
        return head

    def _contract(self, path: list[int], start: int) -> int:
        """The cycle that the path ends with, as a node of its own; the path without it."""
        made = len(self.scores) + len(self.parts)
        parts = path[start:]
        del path[start:]
        stacked, enters = np.stack([self.arcs[part] for part in parts]), np.stack([self.enters[part] for part in parts])
        best, column = stacked.argmax(axis=0), np.arange(len(self.scores))
        self.node[np.isin(self.node, parts)] = made
        self.arcs[made] = np.where(self.node == made, IMPOSSIBLE, stacked[best, column])
        self.enters[made] = enters[best, column]
        self.parts[made] = parts
        self.within.update(dict.fromkeys(parts, made))
        for part in parts:
            del self.arcs[part], self.enters[part]
        return made

    def _expanded(self, count: int) -> Heads:
        """Outermost nodes keep their arcs; in a cycle the part at which the arc from outside ends gives up its own."""
        for node in sorted(self.parts, reverse=True):
            word, _ = arc = self.chosen[node]
            part = word
            while self.within[part] != node:
                part = self.within[part]
            self.chosen[part] = arc
        return np.array([self.chosen[word][1] for word in range(1, count)], dtype=np.int64)
