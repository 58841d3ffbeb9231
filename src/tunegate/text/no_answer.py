"""From which score on a passage is said to hold no answer."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def best_threshold(lead: Floats, worth_none: Floats, worth_span: Floats) -> float:
    """The lead of "no answer" over the best span, above which it is said, so that the answers are worth most.

    lead, and what either answer is worth, [n] each (SQuAD 2.0's `find_best_thresh`). Half way between two rows' leads,
    of several as good ones the widest apart; one beyond the outermost row, where the other answer is always best.
    """
    order = np.argsort(lead, kind="stable")
    ordered = lead[order]
    # With the threshold at gap g the rows before it get their span, and those after it none.
    spans = np.concatenate([[0.0], np.cumsum(worth_span[order])])
    nones = np.concatenate([[0.0], np.cumsum(worth_none[order][::-1])])[::-1]
    edges = np.concatenate([[ordered[0] - 2.0], ordered, [ordered[-1] + 2.0]])
    gaps = np.diff(edges)
    worth = np.where(gaps > 0, spans + nones, -np.inf)
    best = np.flatnonzero(worth >= worth.max() - 1e-9)
    gap = best[np.argmax(gaps[best])]
    return float((edges[gap] + edges[gap + 1]) / 2)
