"""From which confidence on a model may be called sure, so that a wanted share of its sure answers is right."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tunegate.statistics.proportions import lower_bound

SURE_ABOVE, SURE_PRECISION = "sure_above", "sure_precision"  # keys of what is fitted
NEVER = 2.0  # a threshold that no confidence reaches
SPARE = 3  # the strictest threshold is tried on so many times the rows that could show it: a mistake must not end all
STEPS = 20  # thresholds that are tried: each step calls 5 % more of the rows sure


def threshold_for(confidence: NDArray[np.float64], right: NDArray[np.bool_], wanted: float) -> float:
    """The lowest confidence from which on, with 95 % certainty, more than `wanted` of the answers are right.

    `confidence` [n] and `right` [n] are of rows that the model has not learnt from. Thresholds are tried from the
    strictest on, and the first that cannot be shown to hold ends the search: tried in a fixed order, each at 5 %, they
    are wrong together at most 5 % of the time (fixed-sequence testing, as in Angelopoulos et al. 2021, Learn then
    Test). `NEVER` where not even the strictest can be shown, as with too few rows.
    """
    order = np.sort(confidence)[::-1]
    enough = int(np.ceil(np.log(0.05) / np.log(wanted)))  # all right, and so the bound just reaches what is wanted
    fewest = min(SPARE * enough, len(order))
    found = NEVER
    for rows in np.unique(np.linspace(0, len(order), STEPS + 1).astype(np.int64))[1:]:
        if rows < fewest:
            continue
        threshold = float(order[rows - 1])
        chosen = confidence >= threshold
        if lower_bound(int(right[chosen].sum()), int(chosen.sum())) <= wanted:
            break
        found = threshold
    return found


def surely(confidence: NDArray[np.float64], fitted: Mapping[str, float | list[float]]) -> NDArray[np.bool_] | None:
    """Per answer whether it may be called sure [n]; None where no such thing was asked for."""
    threshold = fitted.get(SURE_ABOVE)
    return None if threshold is None else np.asarray(confidence >= threshold, dtype=bool)
