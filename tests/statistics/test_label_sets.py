"""Thresholds, temperature and sureness of sets: what is fitted is what was true, and few rows do not mislead."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.statistics.label_sets import (
    FEWEST,
    HALF,
    fit_binary_temperature,
    fit_exponent,
    fit_thresholds,
    sigmoid,
)


def drawn(rows: int = 4_000, labels: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and truths drawn with just their probabilities."""
    random = np.random.default_rng(seed)
    logits = random.normal(-1, 2, (rows, labels))
    return logits, random.random((rows, labels)) < sigmoid(logits)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_logits_were_multiplied_with(factor: float) -> None:
    logits, truth = drawn()
    assert fit_binary_temperature(logits * factor, truth) == pytest.approx(factor, rel=0.1)


def test_without_rows_nothing_is_fitted() -> None:
    nothing, truth = np.zeros((0, 2)), np.zeros((0, 2), dtype=bool)
    assert fit_binary_temperature(nothing, truth) == 1.0
    assert fit_exponent(np.zeros(0), np.zeros(0, dtype=bool)) == 1.0
    assert fit_thresholds(nothing, truth).tolist() == [HALF, HALF]


def f1(probability: np.ndarray, truth: np.ndarray, threshold: float) -> float:
    given = probability >= threshold
    return float(2 * (given & truth).sum() / max(1, given.sum() + truth.sum()))


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=FEWEST, max_size=60))
def test_no_threshold_is_better_than_the_fitted_one(rows: list[tuple[int, bool]]) -> None:
    probability = np.array([number / 20 for number, _ in rows])
    truth = np.array([held for _, held in rows])
    [fitted] = fit_thresholds(probability[:, None], truth[:, None])
    best = max(f1(probability, truth, threshold) for threshold in np.arange(0, 1.05, 0.025))
    assert f1(probability, truth, fitted) == pytest.approx(best)


def test_a_rare_label_has_the_threshold_of_all_together() -> None:
    logits, truth = drawn()
    truth[:, 2] = False
    truth[: FEWEST - 1, 2] = True
    thresholds = fit_thresholds(sigmoid(logits), truth)
    together = fit_thresholds(sigmoid(logits).reshape(-1, 1), truth.reshape(-1, 1))
    assert thresholds[2] == together[0] != thresholds[0]


def test_sureness_of_sets_fits_how_often_they_are_right() -> None:
    random = np.random.default_rng(1)
    product = random.uniform(0.05, 0.95, 5_000)
    assert fit_exponent(product, random.random(5_000) < product**0.4) == pytest.approx(0.4, rel=0.1)
