"""Not worse by more than a margin? One rule for every comparison: by bounds, with a third answer where rows are few.

PASS when the one-sided 5 % lower bound of the difference is above minus the margin, FAIL when the upper one is below
it, else UNDECIDED. A model that is worse by the margin passes at most 5 % of the time, and so fails.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from tunegate.statistics.power import rows_for_margin
from tunegate.statistics.proportions import ONE_SIDED, Paired, tango
from tunegate.statistics.rows_needed import to_settle, to_settle_estimate


@dataclass(frozen=True)
class Bounds:
    """A difference, upwards better, with its one-sided 5 % bounds and the two-sided 95 % interval for people."""

    value: float
    lower: float
    upper: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class Decision:
    """`more_rows`: how many more rows like these settle it four times in five; None where settled, or beyond reach."""

    verdict: Literal["PASS", "FAIL", "UNDECIDED"]
    lower: float
    upper: float
    low: float
    high: float
    more_rows: int | None = None


@lru_cache(maxsize=100_000)  # slices and simulations ask of the same few counts again and again
def decide(pair: Paired, margin: float) -> Decision:
    """The first of the pair against the second, as shares of the same rows, by Tango's score interval.

    `margin` is a share above 0 (0.01 is one point). No rows at all are UNDECIDED, with the rows that would show an
    equal model equal.
    """
    if pair.rows == 0:
        return Decision("UNDECIDED", -1.0, 1.0, -1.0, 1.0, rows_for_margin(margin))
    bounds = paired_bounds(pair)
    verdict = _verdict(bounds, margin)
    total = to_settle(pair, margin) if verdict == "UNDECIDED" else None
    return _decision(verdict, bounds, total)


def decide_by(bounds: Bounds, margin: float) -> Decision:
    """The same for any metric, by bounds from elsewhere (a paired bootstrap)."""
    if bounds.rows == 0:
        return decide(Paired(0, 0, 0), margin)
    verdict = _verdict(bounds, margin)
    total = None
    if verdict == "UNDECIDED":
        total = to_settle_estimate(bounds.rows, bounds.value, (bounds.upper - bounds.lower) / 2, margin)
    return _decision(verdict, bounds, total)


def paired_bounds(pair: Paired) -> Bounds:
    """Tango's bounds of a pair with at least one row."""
    lower, upper = tango(pair)
    low, high = tango(pair, error=ONE_SIDED / 2)
    return Bounds(pair.difference, lower, upper, low, high, pair.rows)


def _verdict(bounds: Bounds, margin: float) -> Literal["PASS", "FAIL", "UNDECIDED"]:
    if bounds.lower > -margin:
        return "PASS"
    return "FAIL" if bounds.upper < -margin else "UNDECIDED"


def _decision(verdict: Literal["PASS", "FAIL", "UNDECIDED"], bounds: Bounds, total: int | None) -> Decision:
    more = max(1, total - bounds.rows) if total is not None else None
    return Decision(verdict, bounds.lower, bounds.upper, bounds.low, bounds.high, more)
