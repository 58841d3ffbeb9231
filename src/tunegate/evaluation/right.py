"""Which records a model answers right: what every task counts."""

import numpy as np
from numpy.typing import NDArray

from tunegate.task import Counts


def right_of(counts: Counts) -> NDArray[np.bool_]:
    """Per record, whether it is answered right (`correct` is counted of it)."""
    chosen = (counts.key == counts.keys.index("correct")) & (counts.number > 0)
    right = np.zeros(counts.records, dtype=bool)
    right[counts.record[chosen]] = True
    return right
