"""How far a model's confidence can be believed, and the temperature that mends it. Arrays only."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRIOR_DEVIATION = 1.0  # of log temperature: a few validation rows that are all right must not end in certainty
MOST_RESAMPLES = 2_000  # two digits of a bound are enough
WIDEST = float(np.log(20.0))  # temperatures outside 1/20 .. 20 mean that something else is broken
AT_BOUND = 0.01  # of log temperature: the search ends short of a bound by less


def softmax(logits: NDArray[np.floating]) -> Floats:
    """Probabilities over the last axis, in float64, safe for logits of any size."""
    shifted = np.asarray(logits, dtype=np.float64) - np.max(logits, axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def fit_temperature(logits: NDArray[np.floating], truth: NDArray[np.generic]) -> float:
    """The number by which logits [n, k] are divided so that their probabilities fit `truth` [n] (class numbers) best.

    Temperature scaling after Guo et al. 2017 (On Calibration of Modern Neural Networks, section 4.2), with a weak
    normal prior on its logarithm. Rows whose truth is no class (nan, or out of range) are left out; with no row
    left the temperature is 1.
    """
    from scipy.optimize import minimize_scalar

    scores = np.asarray(logits, dtype=np.float64)
    classes = np.nan_to_num(np.asarray(truth, dtype=np.float64), nan=-1).astype(np.int64)
    known = (classes >= 0) & (classes < scores.shape[1])
    scores, classes = scores[known], classes[known]
    if len(scores) == 0:
        return 1.0

    def loss(log_temperature: float) -> float:
        scaled = scores * np.exp(-log_temperature)
        top = scaled.max(axis=1)
        normaliser = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        missed = normaliser - scaled[np.arange(len(scaled)), classes]
        return float(missed.sum() + 0.5 * (log_temperature / PRIOR_DEVIATION) ** 2)

    best = minimize_scalar(loss, bounds=(-WIDEST, WIDEST), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x))


def fit_power(log_confidence: Floats, right: NDArray[np.bool_]) -> float:
    """The power of confidences [n], given as logarithms, that fits whether their decisions were right [n] best.

    For what is right only as a whole: the product of its parts' probabilities is too small where parts err together.
    By maximum likelihood with the prior of `fit_temperature`; 1 without rows.
    """
    from scipy.optimize import minimize_scalar

    logs = np.minimum(np.asarray(log_confidence, dtype=np.float64), -1e-9)
    if len(logs) == 0:
        return 1.0

    def loss(log_power: float) -> float:
        scaled = logs * np.exp(log_power)
        told = np.where(right, scaled, np.log(-np.expm1(scaled)))
        return float(-told.sum() + 0.5 * (log_power / PRIOR_DEVIATION) ** 2)

    best = minimize_scalar(loss, bounds=(-WIDEST, WIDEST), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x))


def fit_temperature_of_best(scores: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """The number by which scores [n, k] are divided so that the best one's probability fits whether it is right [n].

    For answers of which the right one need not be among the k: not their probabilities are fitted, but that of the
    decision, by its log loss (Guo et al. 2017, with the prior of `fit_temperature`). Absent scores are -inf; 1 without
    rows.
    """
    from scipy.optimize import minimize_scalar

    if len(scores) == 0:
        return 1.0
    below = np.asarray(scores, dtype=np.float64) - np.max(scores, axis=1, keepdims=True)

    def loss(log_temperature: float) -> float:
        sure = 1.0 / np.exp(below * np.exp(-log_temperature)).sum(axis=1)
        told = np.where(right, sure, 1.0 - sure)
        return float(0.5 * (log_temperature / PRIOR_DEVIATION) ** 2 - np.log(np.maximum(told, 1e-12)).sum())

    best = minimize_scalar(loss, bounds=(-WIDEST, WIDEST), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x))


def at_bound(temperature: float) -> Literal["lowest", "highest"] | None:
    """Whether the best temperature may lie outside those that are searched: what was fitted is then no optimum.

    The lowest says that logits hardly differ though most answers are right (trained too little), the highest that
    they differ widely and answers are wrong all the same.
    """
    if abs(np.log(temperature)) < WIDEST - AT_BOUND:
        return None
    return "lowest" if temperature < 1 else "highest"


@dataclass(frozen=True)
class Reliability:
    """Confidence against truth in bins of equal width over 0 .. 1; empty bins have nan as confidence and accuracy."""

    edges: Floats  # [b + 1]
    rows: NDArray[np.int64]  # [b]
    confidence: Floats  # [b], mean
    accuracy: Floats  # [b], share of right decisions

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance of confidence and accuracy, weighed by rows."""
        held = self.rows > 0
        if not held.any():
            return float("nan")
        distance = np.abs(self.confidence[held] - self.accuracy[held])
        return float((distance * self.rows[held]).sum() / self.rows.sum())


def reliability(confidence: Floats, right: NDArray[np.bool_], bins: int = 10) -> Reliability:
    """Of `confidence` [n] and whether each decision was right [n]."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    number = np.clip((np.asarray(confidence) * bins).astype(np.int64), 0, bins - 1)
    rows = np.bincount(number, minlength=bins)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(number, weights=confidence, minlength=bins) / rows
        accuracy = np.bincount(number, weights=np.asarray(right, dtype=np.float64), minlength=bins) / rows
    return Reliability(edges, rows.astype(np.int64), mean, accuracy)


def calibration_errors(
    confidence: Floats, right: NDArray[np.bool_], resamples: int, seed: int, bins: int = 10
) -> Floats:
    """The expected calibration error of each of `resamples` (at most `MOST_RESAMPLES`) draws of the rows.

    Every row has a confidence of its own, so nothing can be collapsed; a draw of 100,000 rows takes 1 ms.
    """
    random = np.random.default_rng(seed)
    number = np.clip((np.asarray(confidence) * bins).astype(np.int64), 0, bins - 1)
    gap = np.asarray(confidence, dtype=np.float64) - right
    errors = np.empty(min(resamples, MOST_RESAMPLES))
    for draw in range(len(errors)):
        rows = random.integers(0, len(gap), len(gap))
        errors[draw] = np.abs(np.bincount(number[rows], gap[rows], bins)).sum() / len(gap)
    return errors
