"""Of numbers that are predicted: how far off they may be, and how far they rise with the right ones. Arrays only."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FLAT = 1e-12  # of its square: a variance below is rounding


def half_width(errors: Floats, coverage: float) -> tuple[float, float]:
    """Half the width of an interval around a prediction that holds the right number with probability `coverage`, and
    the probability that it has: split conformal prediction (Lei et al. 2018, Distribution-Free Predictive Inference
    for Regression, section 2.2) on absolute `errors` [n] of rows that were not learnt, n above 0.

    With few rows the largest error is taken, whose coverage is n / (n + 1).
    """
    rows = len(errors)
    rank = min(rows, int(np.ceil((rows + 1) * coverage)))
    return float(np.sort(errors)[rank - 1]), rank / (rows + 1)


def pearson(n: Floats, *, x: Floats, y: Floats, xx: Floats, yy: Floats, xy: Floats) -> Floats:
    """Of sums over rows, each [r]; 0 where one side is the same everywhere, which tells nothing of the other."""
    across, one, other = xy / n - x * y / n**2, xx / n - (x / n) ** 2, yy / n - (y / n) ** 2
    flat = (one <= FLAT * xx / n) | (other <= FLAT * yy / n)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(flat, 0.0, np.clip(across / np.sqrt(np.maximum(one * other, 0)), -1, 1))


def spearman(x: Floats, y: Floats) -> float:
    """Pearson's correlation of ranks, equal values sharing their mean rank; 0 where one side is the same everywhere."""
    from scipy.stats import rankdata

    first, second = rankdata(x), rankdata(y)
    first, second = first - first.mean(), second - second.mean()
    length = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / length) if length else 0.0
