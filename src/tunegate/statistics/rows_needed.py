"""How many rows in all would settle a question that these rows leave open, if the next rows are like them.

Each function gives the total, with power 80 % at the one-sided 5 % level, or None where no number of rows up to
`MOST` would: the estimate lies on the threshold itself.
"""

from math import ceil, sqrt
from statistics import NormalDist

from tunegate.statistics.power import DISCORDANCE, POWER
from tunegate.statistics.proportions import ONE_SIDED, Paired

MOST = 1_000_000
PRIOR = 1.5  # two versions of one model are expected to differ by about the margin divided by this


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


def for_harm(pair: Paired, error: float) -> int | None:
    """For the sign test at level `error` to show that more is lost than won, from the observed difference."""
    if pair.difference >= 0:
        return None
    normal = NormalDist()
    told_apart = (pair.wins + pair.losses) / pair.rows
    quantiles = normal.inv_cdf(1 - error) * sqrt(told_apart)
    quantiles += normal.inv_cdf(POWER) * sqrt(max(0.0, told_apart - pair.difference**2))
    needed = max(pair.rows + 1, ceil((quantiles / pair.difference) ** 2))
    return needed if needed <= MOST else None


def to_settle(pair: Paired, margin: float) -> int | None:
    """For "not worse by more than the margin?" to be answered, yes or no, by a paired difference.

    The spread is the observed share of rows that tell the two apart, with one such row added among as many as usually
    hold one: few rows that all agree do not prove that none will ever differ.
    """
    told_apart = (pair.wins + pair.losses + 1) / (pair.rows + 1 / DISCORDANCE)
    return _to_settle(pair.rows, pair.difference, sqrt(told_apart), margin)


def to_settle_estimate(rows: int, value: float, half_width: float, margin: float) -> int | None:
    """The same for any estimate, from the half width of its two one-sided bounds."""
    return _to_settle(rows, value, half_width * sqrt(rows) / NormalDist().inv_cdf(1 - ONE_SIDED), margin)


def _to_settle(rows: int, value: float, deviation: float, margin: float) -> int | None:
    """Assurance (O'Hagan, Stevens and Campbell 2005): the chance to settle, over what the difference may truly be.

    Power at the observed difference would ask for endless rows wherever that lies near the margin, though the true
    one hardly lies there. What the difference may be is what the rows say, together with a weak expectation that two
    versions of one model differ by less than the margin: without it, few rows promise too much.
    """
    if deviation <= 0:
        return None
    low, high = rows, rows + 1
    while _assurance(rows, high, value, deviation, margin) < POWER:
        low, high = high, 2 * high
        if low > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        settled = _assurance(rows, middle, value, deviation, margin) >= POWER
        low, high = (low, middle) if settled else (middle, high)
    return high if high <= MOST else None


def _assurance(now: int, total: int, value: float, deviation: float, margin: float) -> float:
    """The chance that `total` rows, of which `now` are known, put a one-sided bound on either side of the margin."""
    normal, known, new = NormalDist(), now / deviation**2, (total - now) / deviation**2
    precision = known + (PRIOR / margin) ** 2  # of the posterior
    believed = value * known / precision
    centre = (now * value + (total - now) * believed) / total
    spread = (total - now) / total * sqrt(1 / precision + 1 / new)
    reach = normal.inv_cdf(1 - ONE_SIDED) * deviation / sqrt(total)
    above = normal.cdf((centre + margin - reach) / spread)
    return above + normal.cdf((-centre - margin - reach) / spread)


def _scaled(rows: int, distance: float, deviation: float) -> int | None:
    normal = NormalDist()
    quantiles = normal.inv_cdf(1 - ONE_SIDED) + normal.inv_cdf(POWER)
    if distance <= 0 or deviation <= 0:
        return None
    needed = ceil(rows * (quantiles * deviation / distance) ** 2)
    return needed if needed <= MOST else None
