"""Slices of a task that answers numbers: in which of them the errors grew, in the numbers' own unit.

Whether the right number lies in an answer's interval tells little of harm, since a worse model's interval is wider.
What is tested is the mean of the rows' paired differences of error: Student's one-sided t, and never surer than the
signs of so few rows could make one (2 to the power of minus n).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunegate.evaluation.scores import scale_of
from tunegate.statistics.noninferiority import Bounds
from tunegate.statistics.proportions import ONE_SIDED, Paired, tango
from tunegate.statistics.resampling import row_values
from tunegate.statistics.rows_needed import for_estimate
from tunegate.task import Counts, Metric

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Errors:
    """By how much the candidate's error is smaller than the champion's, per row [n] in the unit of the numbers, and
    what margins are shares of."""

    gain: Floats
    scale: float

    def pair(self, mask: Mask) -> Paired:
        """Rows whose error shrank, and rows whose error grew."""
        gain = self.gain[mask]
        return Paired(int((gain > 0).sum()), int((gain < 0).sum()), len(gain))

    def bounds(self, mask: Mask) -> Bounds:
        """Of the mean gain; as wide at least as rows that tell nothing apart leave it."""
        gain = self.gain[mask]
        value, room = float(gain.mean()) if len(gain) else 0.0, _room(len(gain)) * self.scale
        lower, low = (max(room, _half(gain, error)) for error in (ONE_SIDED, ONE_SIDED / 2))
        return Bounds(value, value - lower, value + lower, value - low, value + low, len(gain))

    def p_values(self, masks: Sequence[Mask]) -> Floats:
        """Of "the errors did not grow", per mask."""
        return np.array([_p_value(self.gain[mask]) for mask in masks], dtype=np.float64)


def _room(rows: int) -> float:
    return float(tango(Paired(0, 0, rows))[1]) if rows else 1.0


def _half(gain: Floats, error: float) -> float:
    """Half of Student's interval; nothing is known of one row's spread."""
    from scipy.stats import t

    if len(gain) < 2:
        return 0.0
    return float(t.ppf(1 - error, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain)))


def _p_value(gain: Floats) -> float:
    from scipy.stats import t

    if not gain.any():
        return 1.0
    floor = 0.5 ** len(gain)
    spread = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else 0.0
    if spread == 0:
        return floor if gain.mean() < 0 else 1.0
    return max(floor, float(t.cdf(gain.mean() / spread, len(gain) - 1)))


def errors_of(metric: Metric, ours: Counts, theirs: Counts) -> Errors | None:
    """None where the metric is no error in a unit: shares of right answers are compared then."""
    if metric.scale is None:
        return None
    sign = 1.0 if metric.higher_is_better else -1.0
    own, other = (np.asarray(metric.value(row_values(counts))) for counts in (ours, theirs))
    return Errors(sign * (own - other), scale_of(metric, ours))


def counts_in(table: pa.Table, model: str, rows: int) -> Counts:
    """A model's, from counts.parquet."""
    own = table.filter(pc.equal(table["model"], model))
    keys = pc.dictionary_encode(own["key"].combine_chunks())
    return Counts(
        rows,
        tuple(keys.dictionary.to_pylist()),
        np.asarray(own["record"].combine_chunks(), dtype=np.int64),
        np.asarray(keys.indices, dtype=np.int32),
        np.asarray(own["number"].combine_chunks(), dtype=np.float64),
    )


def more_rows(bounds: Bounds) -> int | None:
    """Rows in all that would show the errors surely grown, from the observed difference."""
    return for_estimate(bounds.rows, -bounds.value, bounds.upper - bounds.value) if bounds.rows else None
