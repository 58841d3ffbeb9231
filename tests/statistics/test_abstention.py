import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.statistics.abstention import NEVER, SURE_ABOVE, surely, threshold_for
from tunegate.statistics.proportions import lower_bound


def drawn(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Confidences between 0.5 and 1, each right as often as it says."""
    random = np.random.default_rng(seed)
    confidence = random.uniform(0.5, 1.0, rows)
    return confidence, random.random(rows) < confidence


def test_what_is_called_sure_is_right_as_often_as_was_wanted() -> None:
    """Of calibrated answers from t on, (1 + t) / 2 are right: 0.9 is reached from 0.8 on."""
    promised = 0
    for seed in range(200):
        threshold = threshold_for(*drawn(1000, seed), 0.9)
        promised += threshold == NEVER or (1 + threshold) / 2 >= 0.9
    assert promised >= 0.93 * 200
    assert np.median([threshold_for(*drawn(1000, seed), 0.9) for seed in range(20)]) < 0.9


def test_more_rows_come_nearer_to_the_true_threshold() -> None:
    few, many = (np.mean([threshold_for(*drawn(rows, seed), 0.9) for seed in range(10)]) for rows in (600, 20_000))
    assert 0.8 <= many < few


def test_rows_too_few_to_prove_anything_make_nobody_sure() -> None:
    """0.95 needs 59 right answers in a row."""
    assert threshold_for(np.full(58, 0.99), np.ones(58, dtype=bool), 0.95) == NEVER
    assert threshold_for(np.full(60, 0.99), np.ones(60, dtype=bool), 0.95) == pytest.approx(0.99)
    assert threshold_for(np.empty(0), np.empty(0, dtype=bool), 0.95) == NEVER


def test_a_model_that_is_right_everywhere_is_sure_of_all() -> None:
    confidence = np.linspace(0.3, 1, 500)
    assert threshold_for(confidence, np.ones(500, dtype=bool), 0.95) == pytest.approx(0.3)


@given(st.integers(0, 300), st.floats(0.5, 0.99), st.integers(0, 5))
def test_a_threshold_is_shown_by_the_rows_above_it_or_there_is_none(rows: int, wanted: float, seed: int) -> None:
    confidence, right = drawn(rows, seed)
    threshold = threshold_for(confidence, right, wanted)
    sure = right[confidence >= threshold]
    assert threshold == NEVER if len(sure) == 0 else lower_bound(int(sure.sum()), len(sure)) > wanted


def test_nothing_is_said_where_nothing_was_asked_for() -> None:
    assert surely(np.array([0.9]), {"temperature": 1.0}) is None
    sure = surely(np.array([0.9, 0.7]), {SURE_ABOVE: 0.8})
    assert sure is not None and sure.tolist() == [True, False]
