"""How many rows in all would settle a question that these rows leave open, if the next rows are like them.

Each function gives the total, with power 80 % at the one-sided 5 % level, or None where no number of rows up to
`MOST` would: the estimate lies on the threshold itself.
"""

from math import ceil
from statistics import NormalDist

from tunegate.statistics.power import POWER
from tunegate.statistics.proportions import ONE_SIDED, Paired

MOST = 1_000_000


def for_share(share: float, threshold: float) -> int | None:
    """For the exact bound of a share to clear the threshold, upwards or downwards."""
    if share == threshold:
        return None
    if share < threshold:
        share, threshold = 1 - share, 1 - threshold
    rows = 1
    while not _settles(rows, share, threshold):
        rows *= 2
        if rows > 2 * MOST:
            return None
    low, high = rows // 2, rows
    while high - low > 1:  # power rises with the rows but for a saw tooth of a few of them
        middle = (low + high) // 2
        low, high = (low, middle) if _settles(middle, share, threshold) else (middle, high)
    return high if high <= MOST else None


def _settles(rows: int, share: float, threshold: float) -> bool:
    """Whether `rows` rows with this true share mostly have a lower bound above the threshold."""
    from scipy.stats import binom

    fewest = int(binom.isf(ONE_SIDED, rows, threshold)) + 1  # right answers whose exact bound is above the threshold
    return fewest <= rows and float(binom.sf(fewest - 1, rows, share)) >= POWER


def for_difference(pair: Paired, target: float) -> int | None:
    """For a paired difference to clear the target, from its own spread (Connor 1987). Raises nothing for no spread."""
    told_apart = (pair.wins + pair.losses) / pair.rows
    variance = told_apart - pair.difference**2
    return _scaled(1, abs(pair.difference - target), variance**0.5) if variance > 0 else None


def for_estimate(rows: int, distance: float, half_width: float) -> int | None:
    """For any estimate whose one-sided half width is that of `rows` rows and shrinks with their square root."""
    return _scaled(rows, distance, half_width / NormalDist().inv_cdf(1 - ONE_SIDED))


def _scaled(rows: int, distance: float, deviation: float) -> int | None:
    normal = NormalDist()
    quantiles = normal.inv_cdf(1 - ONE_SIDED) + normal.inv_cdf(POWER)
    if distance <= 0 or deviation <= 0:
        return None
    needed = ceil(rows * (quantiles * deviation / distance) ** 2)
    return needed if needed <= MOST else None
