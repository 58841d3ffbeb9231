"""A unigram model of pieces, by expectation and maximisation (Kudo 2018, "Subword regularization", section 3.2).

From many pieces to few: their probabilities are fitted, then those go whose loss costs least likelihood, again and
again. Written here because the trainer at hand adds numbers in the order of hash tables, and so ends elsewhere each
time.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tunegate.text.vocabularies.lattice import Lattice
from tunegate.text.vocabularies.seeds import LONGEST

SHRINKS_TO = 0.75  # of the pieces stay in a round; this, two steps a round and the last 1.1 are SentencePiece's
STEPS = 2
BEFORE_THE_END = 1.1
RARE = 0.5  # pieces that are met less often than this go
DIGITS = 6  # of a score: what differs behind them is rounding

Floats = NDArray[np.float64]


def fitted(words: Mapping[str, int], seeds: Mapping[str, float], size: int) -> list[tuple[str, float]]:
    """At most `size` pieces with the logarithms of their probabilities, the likeliest first, every character among
    them. The characters must not be more than `size`."""
    pieces = sorted(seeds)
    whole = Lattice.of(list(words), {piece: number for number, piece in enumerate(pieces)}, LONGEST)
    fit = _Fit(pieces, whole, np.array(list(words.values()), dtype=np.float64), np.array([seeds[p] for p in pieces]))
    while True:
        fit.step(STEPS)
        left = int(fit.alive.sum())
        if left <= BEFORE_THE_END * size:
            break
        fit.prune(max(int(BEFORE_THE_END * size), int(SHRINKS_TO * left)))
    fit.keep_likeliest(size)
    fit.step(STEPS, keep=True)
    chosen = [(pieces[number], round(float(fit.scores[number]), DIGITS)) for number in np.flatnonzero(fit.alive)]
    return sorted(chosen, key=lambda item: (-item[1], item[0]))


class _Fit:
    """`alive` [k]: the pieces that are left; `scores` [k]: logarithms of their probabilities."""

    def __init__(self, pieces: Sequence[str], lattice: Lattice, counts: Floats, weights: Floats) -> None:
        self.pieces = pieces
        self.lattice = lattice
        self.counts = counts
        self.single = np.array([len(piece) == 1 for piece in pieces])
        self.alive = np.ones(len(pieces), dtype=bool)
        self.scores = np.log(weights) - np.log(weights.sum())

    def step(self, times: int, *, keep: bool = False) -> None:
        """With the sparse prior of SentencePiece (Liang et al. 2007). `keep`: rare pieces stay."""
        from scipy.special import digamma

        for _ in range(times):
            met = self.lattice.expected(self.scores, self.counts)
            if not keep:
                self._leave(self.alive & (self.single | (met >= RARE)))
            met = np.where(self.alive, np.maximum(met, RARE), 0.0)
            self.scores[self.alive] = digamma(met[self.alive]) - digamma(met.sum())

    def prune(self, size: int) -> None:
        """Down to that many, characters apart."""
        loss = self._losses()
        order = np.lexsort((np.arange(len(loss)), -loss))
        self._leave(self._first(order[~self.single[order] & self.alive[order]], size))

    def keep_likeliest(self, size: int) -> None:
        order = np.lexsort((np.arange(len(self.scores)), -np.round(self.scores, DIGITS)))
        self._leave(self._first(order[~self.single[order] & self.alive[order]], size))

    def _first(self, order: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
        alive = self.single.copy()
        alive[order[: max(0, size - int(self.single.sum()))]] = True
        return alive

    def _leave(self, alive: NDArray[np.bool_]) -> None:
        if (alive != self.alive).any():
            self.alive = alive
            self.lattice = self.lattice.with_pieces(alive)

    def _losses(self) -> Floats:
        """By how much the words grow less likely without the piece: it is cut into the best pieces that are left, which
        are then met as much more often (the approximation of SentencePiece)."""
        met, owners = self.lattice.best(self.scores)
        often = np.bincount(met, weights=self.counts[owners], minlength=len(self.pieces))
        known = {self.pieces[number]: number for number in np.flatnonzero(self.alive).tolist()}
        longer = np.flatnonzero(self.alive & ~self.single & (often > 0))
        cut, piece = Lattice.of([self.pieces[number] for number in longer.tolist()], known, LONGEST, whole=False).best(
            self.scores
        )
        parts = np.bincount(piece, minlength=len(longer))
        total = often.sum()
        more = np.log(total + often[longer] * (parts - 1))
        instead = (
            np.bincount(piece, weights=np.log(often[cut] + often[longer][piece]), minlength=len(longer)) - parts * more
        )
        loss = np.full(len(self.pieces), -np.inf)
        loss[longer] = often[longer] * (np.log(often[longer]) - np.log(total) - instead)
        return loss
