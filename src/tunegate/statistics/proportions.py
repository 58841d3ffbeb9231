"""Bounds for shares of rows, and for the difference of two shares on the same rows. Numbers only."""

from dataclasses import dataclass
from math import copysign, inf, sqrt
from statistics import NormalDist

ONE_SIDED = 0.05  # what decides; the two-sided 95 % interval is what people are shown


@dataclass(frozen=True)
class Paired:
    """Two models on the same `rows`: `wins` only the first has right, `losses` only the second."""

    wins: int
    losses: int
    rows: int

    @property
    def difference(self) -> float:
        return (self.wins - self.losses) / self.rows


def wilson(right: int, rows: int, *, error: float = 0.05) -> tuple[float, float]:
    """Wilson's two-sided score interval (Wilson 1927); at 0 and all right the exact one, whose end is not too near."""
    if right in (0, rows):
        return clopper_pearson(right, rows, error=error)
    z = NormalDist().inv_cdf(1 - error / 2)
    share = right / rows
    centre = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return centre - half, centre + half


def clopper_pearson(right: int, rows: int, *, error: float = 0.05) -> tuple[float, float]:
    """The exact two-sided interval (Clopper and Pearson 1934): never misses more often than `error`."""
    return lower_bound(right, rows, error=error / 2), upper_bound(right, rows, error=error / 2)


def lower_bound(right: int, rows: int, *, error: float = ONE_SIDED) -> float:
    """The exact one-sided bound: the share is above it, but for `error` of all samples."""
    from scipy.stats import beta

    return 0.0 if right == 0 else float(beta.ppf(error, right, rows - right + 1))


def upper_bound(right: int, rows: int, *, error: float = ONE_SIDED) -> float:
    """The exact one-sided bound: the share is below it, but for `error` of all samples."""
    return 1.0 - lower_bound(rows - right, rows, error=error)


def tango(pair: Paired, *, error: float = ONE_SIDED) -> tuple[float, float]:
    """One-sided lower and upper bounds of the difference of two paired proportions, each at `error`.

    Tango's score interval (Tango 1998, Statistics in Medicine 17, 891-908): it holds where no row, or hardly any,
    tells the two models apart, which the interval by the normal approximation does not.
    """
    z = NormalDist().inv_cdf(1 - error)
    low = _crossing(pair, z, -1.0, pair.difference)
    high = _crossing(pair, -z, pair.difference, 1.0)
    return low, high


def _crossing(pair: Paired, target: float, left: float, right: float) -> float:
    """The difference at which the score statistic, which falls with it, is `target`."""
    for _ in range(60):  # halves the width below what a float tells apart
        middle = (left + right) / 2
        left, right = (middle, right) if _score(pair, middle) > target else (left, middle)
    return (left + right) / 2


def _score(pair: Paired, difference: float) -> float:
    """(observed - expected) / its deviation when the true difference is `difference` (Tango, formulas 5 to 7)."""
    rows, wins, losses = pair.rows, pair.wins, pair.losses
    b = -wins - losses + (2 * rows - wins + losses) * difference
    c = -losses * difference * (1 - difference)
    losing = (sqrt(max(0.0, b * b - 8 * rows * c)) - b) / (4 * rows)  # likeliest share of losses under that difference
    variance = rows * (2 * losing + difference * (1 - difference))
    gap = wins - losses - rows * difference
    if variance <= 0:
        return copysign(inf, gap) if gap else 0.0
    return gap / sqrt(variance)
