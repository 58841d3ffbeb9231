"""How clearly a decision was made."""

import numpy as np
from numpy.typing import NDArray


def best_above_second(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each row's best score is above its second, [n, k] to [n]; infinite where there is only one."""
    if scores.shape[1] < 2:
        return np.full(len(scores), np.inf)
    best = np.sort(scores, axis=1)[:, -2:]
    return np.asarray(best[:, 1] - best[:, 0])
