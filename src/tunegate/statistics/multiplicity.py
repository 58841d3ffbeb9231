"""Many questions asked of the same rows: p-values that stay honest together, and the sign test they come from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def holm(p_values: ArrayLike) -> Floats:
    """Adjusted p-values [n], in the order given (Holm 1979, Scandinavian Journal of Statistics 6, 65-70).

    Calling everything up to 0.05 a finding makes one false finding or more in at most 5 % of all families, however
    the questions depend on each other.
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    stepped = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def sign_test(wins: Sequence[int] | ArrayLike, losses: Sequence[int] | ArrayLike) -> Floats:
    """One-sided exact p-values [n] for losing more often than winning: McNemar's exact test of each pair of counts.

    Were both as likely, so many losses or more among the rows that tell the two apart would be seen this often.
    Without such rows it is 1.
    """
    from scipy.stats import binom

    won, lost = np.asarray(wins, dtype=np.int64), np.asarray(losses, dtype=np.int64)
    return np.asarray(binom.sf(lost - 1, won + lost, 0.5), dtype=np.float64)
