"""How small a difference a test set can certify: the arithmetic behind "how many labelled rows do I need?".

Two models that answer the same `n` rows are compared on the rows where exactly one of them is right (the discordant
ones). Under the normal approximation of the paired difference of proportions (Miettinen 1968; Connor 1987, formula 2,
with an expected difference of 0), an equal model is certified within a margin of

    margin = (z_alpha + z_power) * sqrt(discordance / n)

"""

import math
from statistics import NormalDist

DISCORDANCE = 0.06  # share of rows on which two fine-tunings of one encoder differ in being right; 4 to 8 % is usual
ALPHA = 0.05  # one-sided: only "worse" is an error
POWER = 0.8  # an equal model is certified four times in five


def certified_margin(
    rows: int, *, discordance: float = DISCORDANCE, alpha: float = ALPHA, power: float = POWER
) -> float:
    """The margin, as a share (0.01 is one point), that `rows` test rows certify for an equal model.

    Raises ValueError for fewer than one row.
    """
    if rows < 1:
        raise ValueError("a margin needs at least one row")
    return min(1.0, _quantiles(alpha, power) * math.sqrt(discordance / rows))


def rows_for_margin(
    margin: float, *, discordance: float = DISCORDANCE, alpha: float = ALPHA, power: float = POWER
) -> int:
    """The fewest test rows that certify the margin (a share above 0). Raises ValueError for a margin of 0 or less."""
    if margin <= 0:
        raise ValueError("a margin is above 0")
    return max(1, math.ceil(discordance * (_quantiles(alpha, power) / margin) ** 2))


def _quantiles(alpha: float, power: float) -> float:
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha) + normal.inv_cdf(power)
