"""How much a new version may lose: the margin that the test rows at hand can certify, as a first choice."""

from math import ceil
from typing import Literal

from tunegate.params import GateSettings
from tunegate.statistics.power import certified_margin, rows_for_margin
from tunegate.task import Metric

STEP = 0.005  # half a point: finer steps would claim to know the discordance
MOST = 0.05  # a gate that lets five points pass at once guards nothing; with fewer rows it is undecided more often

MOST_LOSS = 0.05  # of a loss: a model that is as sure of what is right to a factor of 1.05

Unit = Literal["points", "deviations", "loss"]


def unit_of(metric: Metric) -> Unit:
    """What a margin of the metric is measured in: shares of rows or words, the right numbers' standard deviation, or
    the loss itself."""
    if metric.scale is not None:
        return "deviations"
    return "points" if metric.higher_is_better else "loss"


def first_margin(test_rows: int, unit: Unit = "points") -> float:
    """What these rows certify of a version that is as good, in steps of half a point, and never below the default.

    How much the losses of equal models differ cannot be told from the number of rows: a loss has one first choice.
    """
    usual = GateSettings().margin
    if unit == "loss":
        return MOST_LOSS
    if test_rows == 0:
        return usual
    return round(min(MOST, max(usual, ceil(certified_margin(test_rows) / STEP - 1e-9) * STEP)), 3)


def margin_comment(margin: float, test_rows: int, metric: Metric) -> str:
    """Beside the setting: what it means for these rows."""
    unit = unit_of(metric)
    if unit == "deviations":
        return f"a new version's error may be larger by at most {margin:g} of the numbers' standard deviation"
    if unit == "loss":
        return f"a new version's {metric.title} may be larger by at most {margin:g}"
    lost, needed = points(margin), rows_for_margin(margin)
    if test_rows >= needed:
        return f"a new version may lose at most {lost}: {test_rows:,} test rows can certify that"
    return f"a new version may lose at most {lost}: that takes about {needed:,} test rows, here are {test_rows:,}"


def points(margin: float) -> str:
    """A share as people say it."""
    return f"{100 * margin:g} {'point' if round(100 * margin, 6) == 1 else 'points'}"
