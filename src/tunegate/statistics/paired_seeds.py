"""What a change brings, over seeds and rows: trainings with and without it, seed by seed, answer the same rows.

Seeds and rows are both samples, and the interval speaks of others of both. It is that of reader studies in radiology,
where readers and cases are both drawn (Obuchowski and Rockette 1995; the degrees of freedom of Hillis 2007, formula
10), with seeds for readers: with the seeds' differences d [s], whose variance is V, and the covariance C that the rows
give to the differences of any two seeds,

    variance = V / s + C        degrees of freedom = variance^2 / ((V / s)^2 / (s - 1))

A bootstrap over five seeds would be too narrow by a tenth, and one over rows alone says nothing of other seeds.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_SEEDS = 1_000
MOST_TIMES_ROWS = 1_000  # so many times the rows are looked at; what needs more will not be settled by rows
POWER = 0.8  # "settles it four times in five"


@dataclass(frozen=True)
class SeedGain:
    """The mean difference, and the parts of its variance: `seeds` of one seed, `own` what the rows add to one seed
    alone, `shared` what they add to all of them alike (both as the rows at hand have them)."""

    value: float
    seeds: float
    own: float
    shared: float
    count: int  # seeds
    least: float = 0.0  # the interval is at least so far on either side

    def half(self, error: float = 0.05, *, count: int | None = None, rows: float = 1.0, power: float = 0.5) -> float:
        """Half of the two-sided interval with `count` seeds and `rows` times the rows; with more `power` by so much
        more, as a difference of that size is then shown so often."""
        from scipy.stats import norm, t

        count = count or self.count
        within, shared = (self.seeds + self.own / rows) / count, self.shared / rows
        whole = within + shared
        freedom = whole**2 / (within**2 / (count - 1)) if within > 0 else math.inf
        quantile = float(t.ppf(1 - error / 2, freedom)) if math.isfinite(freedom) else float(norm.ppf(1 - error / 2))
        return max((quantile + float(norm.ppf(power))) * math.sqrt(whole), self.least / rows)


def seed_gain(differences: Floats, resampled: Floats, least: float = 0.0) -> SeedGain:
    """Of the seeds' differences [s], s at least 2, and the same over resamples of the rows [s, resamples]."""
    count = len(differences)
    if count < 2:
        raise ValueError("one seed says nothing of another")
    covariance = np.cov(resampled)
    alone = float(np.trace(covariance)) / count
    shared = max(0.0, float(covariance.sum() - np.trace(covariance)) / (count * (count - 1)))
    own = max(0.0, alone - shared)
    seeds = max(0.0, float(np.var(differences, ddof=1)) - own)
    return SeedGain(float(differences.mean()), seeds, own, shared, count, least)


def more_seeds(found: SeedGain, worth: float, error: float = 0.05) -> int | None:
    """So many seeds in all would settle four times in five whether the gain is above 0, or below `worth`, if it is
    what it looks like; None where the rows at hand settle it with no number of seeds."""
    return _fewest(lambda count: _settles(found, worth, error, count=count), found.count, MOST_SEEDS)


def more_rows(found: SeedGain, worth: float, rows: int, error: float = 0.05) -> int | None:
    """So many rows in all, with the seeds at hand; None where no number of rows does."""
    return _rows_with(found.count, found, worth, rows, error)


def more_of_both(found: SeedGain, worth: float, rows: int, error: float = 0.05) -> tuple[int, int] | None:
    """Seeds and rows in all, where neither alone would do: the seeds doubled until some number of rows does."""
    count = 2 * found.count
    while count <= MOST_SEEDS:
        if size := _rows_with(count, found, worth, rows, error):
            return count, size
        count *= 2
    return None


def _rows_with(count: int, found: SeedGain, worth: float, rows: int, error: float) -> int | None:
    return _fewest(
        lambda size: _settles(found, worth, error, count=count, rows=size / rows), rows, MOST_TIMES_ROWS * rows
    )


def _settles(found: SeedGain, worth: float, error: float, *, count: int, rows: float = 1.0) -> bool:
    """Narrow enough to tell the gain from 0 or from `worth`, whichever is the easier."""
    return found.half(error, count=count, rows=rows, power=POWER) < max(found.value, worth - found.value)


def _fewest(is_enough: Callable[[int], bool], low: int, high: int) -> int | None:
    """The fewest from `low` to `high`, of something that stays enough once it is."""
    if not is_enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle + 1, high)
    return low
