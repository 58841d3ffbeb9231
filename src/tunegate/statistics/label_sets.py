"""What is fitted where every label is a yes or no of its own: a temperature, thresholds, and how sure a set is.

Arrays only. Each is fitted with something that holds it where rows are few.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tunegate.statistics.calibration import PRIOR_DEVIATION, WIDEST

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FEWEST = 10  # rows with a label, below which it has no threshold of its own
HALF = 0.5


def sigmoid(logits: NDArray[np.floating]) -> Floats:
    """In float64, safe for logits of any size."""
    from scipy.special import expit

    return np.asarray(expit(np.asarray(logits, dtype=np.float64)))


def fit_binary_temperature(logits: NDArray[np.floating], truth: Mask) -> float:
    """The number by which logits [n, k] are divided so that each one's probability fits `truth` [n, k] best.

    As `calibration.fit_temperature`, over yes and no of each label; without rows it is 1.
    """
    scores = np.asarray(logits, dtype=np.float64)
    signed = np.where(truth, scores, -scores).ravel()
    return (
        float(np.exp(_best(lambda log: float(np.logaddexp(0, -signed * np.exp(-log)).sum())))) if len(signed) else 1.0
    )


def fit_exponent(probability: Floats, right: Mask) -> float:
    """The power to which the product of a set's probabilities [n] is raised so that it fits how often sets are right.

    Labels depend on each other, so that the product alone says too little or too much. Without rows it is 1.
    """
    if not len(probability):
        return 1.0
    logs = np.log(np.clip(probability, 1e-12, 1 - 1e-12))

    def missed(log: float) -> float:
        raised = np.exp(log) * logs
        return float(-np.where(right, raised, np.log(-np.expm1(raised))).sum())

    return float(np.exp(_best(missed)))


def fit_thresholds(probabilities: Floats, truth: Mask) -> Floats:
    """A threshold per label [k] for probabilities [n, k].

    Each label's own best F1 where at least FEWEST rows have it, else the threshold that is best for all labels taken
    together: a threshold fitted on a few rows falls anywhere (Yang 2001, A Study of Thresholding Strategies for Text
    Categorization: SCut, and why rare categories must not have one of their own).
    """
    common = _best_threshold(probabilities.ravel(), truth.ravel())
    own = [
        _best_threshold(column, held) if held.sum() >= FEWEST else common
        for column, held in zip(probabilities.T, truth.T, strict=True)
    ]
    return np.array(own, dtype=np.float64)


def _best_threshold(probability: Floats, held: Mask) -> float:
    """The middle of the gap between two probabilities at which F1 is highest; HALF where nothing is held."""
    if not held.any():
        return HALF
    order = np.argsort(-probability, kind="stable")
    falling, hits = probability[order], np.cumsum(held[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + hits[-1])
    last = np.append(falling[1:] < falling[:-1], True)  # rows of equal probability are answered alike
    best = int(np.argmax(np.where(last, f1, -1)))
    below = falling[best + 1] if best + 1 < len(falling) else 0.0
    return float((falling[best] + below) / 2)


def _best(missed: Callable[[float], float]) -> float:
    """The logarithm at which least is missed, with a weak normal prior on it."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log: missed(log) + 0.5 * (log / PRIOR_DEVIATION) ** 2,
        bounds=(-WIDEST, WIDEST),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(found.x)
