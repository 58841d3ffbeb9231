"""How much a new version may lose: the margin that the test rows at hand can certify, as a first choice."""

from math import ceil

from tunegate.params import GateSettings
from tunegate.statistics.power import certified_margin, rows_for_margin

STEP = 0.005  # half a point: finer steps would claim to know the discordance
MOST = 0.05  # a gate that lets five points pass at once guards nothing; with fewer rows it is undecided more often


def first_margin(test_rows: int) -> float:
    """What these rows certify of a version that is as good, in steps of half a point, and never below the default."""
    usual = GateSettings().margin
    if test_rows == 0:
        return usual
    return round(min(MOST, max(usual, ceil(certified_margin(test_rows) / STEP - 1e-9) * STEP)), 3)


def margin_comment(margin: float, test_rows: int, in_unit: bool = False) -> str:
    """Beside the setting: what it means for these rows. `in_unit`: of a metric that is no share."""
    if in_unit:
        return f"a new version's error may be larger by at most {margin:g} of the numbers' standard deviation"
    lost, needed = points(margin), rows_for_margin(margin)
    if test_rows >= needed:
        return f"a new version may lose at most {lost}: {test_rows:,} test rows can certify that"
    return f"a new version may lose at most {lost}: that takes about {needed:,} test rows, here are {test_rows:,}"


def points(margin: float) -> str:
    """A share as people say it."""
    return f"{100 * margin:g} {'point' if round(100 * margin, 6) == 1 else 'points'}"
