"""Answers to scores with intervals: one way for every task, because a metric is a function of summed counts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunegate.evaluation.findings import ClassScores, Comparison, Estimate
from tunegate.evaluation.right import right_of
from tunegate.params import Precision
from tunegate.statistics.calibration import calibration_errors, reliability
from tunegate.statistics.proportions import (
    ONE_SIDED,
    Paired,
    lower_bound,
    tango,
    upper_bound,
    wilson,
)
from tunegate.statistics.resampling import collapse, observed, resampled, resampled_rows, row_values
from tunegate.task import Counts, Metric, Sums

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Resampling:
    """How often the rows are drawn again, and from which seed."""

    resamples: int
    seed: int


def estimates(metrics: Sequence[Metric], counts: Counts, resampling: Resampling) -> dict[str, Estimate]:
    """By name, those of which these rows say anything: where none asks for an order, its accuracy is no number."""
    defined = [metric for metric in metrics if np.isfinite(value_of(metric, counts))]
    return {metric.name: estimate(metric, counts, resampling) for metric in defined}


def value_of(metric: Metric, counts: Counts) -> float:
    """Of the rows as they are; nan where they say nothing of it."""
    if metric.of_rows:
        return float(metric.value(row_values(counts))[0])
    return observed(collapse([counts]), lambda sums: metric.value(sums[0]))


def estimate(metric: Metric, counts: Counts, resampling: Resampling) -> Estimate:
    """Exact and score intervals for shares of records, the percentile bootstrap for everything else.

    A perfect (or worthless) model is so in every resample, which is no evidence: its rows' exact interval is taken.
    """
    if metric.of_rows:
        rows = row_values(counts)
        values = resampled_rows(rows, metric.value, resampling.resamples, resampling.seed)
        return _percentile(value_of(metric, counts), values, counts.records)
    kinds = collapse([counts])
    value = observed(kinds, lambda sums: metric.value(sums[0]))
    if metric.proportion or (metric.scale is None and value in (0.0, 1.0)):
        return share(round(value * counts.records), counts.records)
    values = resampled(kinds, lambda sums: metric.value(sums[0]), resampling.resamples, resampling.seed)
    return _percentile(value, values, counts.records)


def share(right: int, rows: int) -> Estimate:
    """Wilson's interval to show, Clopper and Pearson's bounds to decide by."""
    low, high = wilson(right, rows)
    return Estimate(
        value=right / rows,
        low=low,
        high=high,
        lower=lower_bound(right, rows),
        upper=upper_bound(right, rows),
        n=rows,
    )


def compare(
    names: tuple[Precision, str],
    metric: Metric,
    ours: Counts,
    theirs: Counts,
    resampling: Resampling,
    *,
    units: NDArray[np.int64] | None = None,
) -> Comparison:
    """The first model's metric minus the second's on the same rows, paired.

    Tango's interval for shares of rows, the paired bootstrap over `units` [n] (default: rows) for all else.
    """
    if metric.proportion and units is None:
        pair = paired(ours, theirs)
        return Comparison(
            precision=names[0], baseline=names[1], difference=_tango(pair), wins=pair.wins, losses=pair.losses
        )

    def gain(sums: Sequence[Sums]) -> Floats:
        return np.asarray(metric.value(sums[0]) - metric.value(sums[1]))

    kinds = collapse([ours, theirs], units)
    values = resampled(kinds, gain, resampling.resamples, resampling.seed)
    difference = _with_room(_percentile(observed(kinds, gain), values, kinds.total), scale_of(metric, ours))
    return Comparison(precision=names[0], baseline=names[1], difference=difference)


def scale_of(metric: Metric, counts: Counts) -> float:
    """What margins are shares of: 1 for a metric that is a share itself, else of its own unit on these rows."""
    if metric.scale is None:
        return 1.0
    return observed(collapse([counts]), lambda sums: metric.scale(sums[0]))  # type: ignore[misc]


def _with_room(found: Estimate, scale: float) -> Estimate:
    """Bounds at least as wide as Tango's where no row tells two models apart: a resample never draws an unseen row,
    so that models that answer few rows alike would be proved equal by an interval of no width."""
    unseen = _tango(Paired(0, 0, found.n))
    below, above = unseen.low * scale, unseen.high * scale
    lower, upper = unseen.lower * scale, unseen.upper * scale
    return found.model_copy(
        update={
            "low": min(found.low, found.value + below),
            "high": max(found.high, found.value + above),
            "lower": min(found.lower, found.value + lower),
            "upper": max(found.upper, found.value + upper),
        }
    )


def units(records: pa.Table, unit: str) -> NDArray[np.int64] | None:
    """The number of each row's document or group [n]; None where every row is a unit of its own."""
    if unit == "record":
        return None
    groups = pc.coalesce(records["group"], records["id"]).to_pylist()
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def paired(ours: Counts, theirs: Counts) -> Paired:
    """Of the records, those that only one of the two models has right."""
    first, second = right_of(ours), right_of(theirs)
    return Paired(int((first & ~second).sum()), int((second & ~first).sum()), ours.records)


def calibration(confidence: Floats, right: NDArray[np.bool_], resampling: Resampling) -> Estimate:
    """Expected calibration error with basic bootstrap bounds (Davison and Hinkley 1997, section 5.2).

    The error of few rows is too large by chance, and a resample's by twice that: the basic bootstrap turns the
    resamples around the estimate, which takes the chance off again. Where every row is right no resample knows that
    some may not be, so the upper bounds are at least the mean confidence's distance to the exact bound of the share.
    """
    value = reliability(confidence, right).error
    values = 2 * value - calibration_errors(confidence, right, resampling.resamples, resampling.seed)
    bounds = np.clip(np.quantile(values, [0.025, 0.975, ONE_SIDED, 1 - ONE_SIDED]), 0.0, 1.0).tolist()
    low, high, lower, upper = bounds
    surplus = float(np.mean(confidence)) - lower_bound(int(right.sum()), len(right))
    return Estimate(
        value=value,
        low=min(low, value),
        high=max(high, value, surplus),
        lower=lower,
        upper=max(upper, surplus),
        n=len(confidence),
    )


def classes(counts: Counts) -> list[ClassScores]:
    """A row per label, where the task counts `support:`, `answered:` and `hit:` of labels; else none."""
    sums = dict(zip(counts.keys, np.bincount(counts.key, counts.number, len(counts.keys)), strict=True))
    labels = [key.removeprefix("support:") for key in counts.keys if key.startswith("support:")]
    return [
        _class(label, int(sums[f"support:{label}"]), int(sums[f"answered:{label}"]), int(sums[f"hit:{label}"]))
        for label in labels
    ]


def _class(label: str, rows: int, answered: int, hits: int) -> ClassScores:
    low, high = wilson(hits, rows) if rows else (None, None)
    return ClassScores(
        label=label,
        rows=rows,
        answered=answered,
        precision=hits / answered if answered else None,
        recall=hits / rows if rows else None,
        recall_low=low,
        recall_high=high,
        f1=2 * hits / (rows + answered) if rows + answered else None,
    )


def _tango(pair: Paired) -> Estimate:
    low, high = tango(pair, error=0.025)
    lower, upper = tango(pair)
    return Estimate(value=pair.difference, low=low, high=high, lower=lower, upper=upper, n=pair.rows)


def _percentile(value: float, values: Floats, rows: int) -> Estimate:
    low, high, lower, upper = np.nanquantile(values, [0.025, 0.975, ONE_SIDED, 1 - ONE_SIDED]).tolist()
    return Estimate(value=value, low=min(low, value), high=max(high, value), lower=lower, upper=upper, n=rows)
