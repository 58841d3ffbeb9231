import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.statistics.calibration import (
    at_bound,
    fit_power,
    fit_temperature,
    fit_temperature_of_best,
    reliability,
    softmax,
)


def test_softmax_survives_logits_of_any_size() -> None:
    rows = softmax(np.array([[1e4, 0.0], [-1e4, -1e4], [0.0, np.log(3.0)]]))
    assert rows == pytest.approx(np.array([[1, 0], [0.5, 0.5], [0.25, 0.75]]))


@settings(deadline=None, max_examples=20)
@given(st.floats(0.4, 4.0))
def test_a_known_temperature_is_found_again(temperature: float) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(2000, 5)) * 2
    truth = np.array([random.choice(5, p=row) for row in softmax(logits)])
    assert fit_temperature(logits * temperature, truth) == pytest.approx(temperature, rel=0.12)


def test_a_few_rows_that_are_all_right_do_not_end_in_certainty() -> None:
    logits = np.array([[4.0, 0.0]] * 10)
    assert fit_temperature(logits, np.zeros(10)) > 0.2


def test_rows_without_a_known_label_are_left_out() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 2.0], [9.0, 0.0]])
    truth = np.array([0.0, 1.0, np.nan])
    assert fit_temperature(logits, truth) == fit_temperature(logits[:2], truth[:2])


def test_no_rows_leave_the_scores_as_they_are() -> None:
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0)) == 1.0


def test_the_calibration_error_is_the_mean_distance_weighed_by_rows() -> None:
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    table = reliability(confidence, np.array([True, True, True, False]))
    assert table.error == pytest.approx((2 * 0.05 + 2 * 0.05) / 4)
    assert table.rows.sum() == 4


def test_full_confidence_falls_into_the_last_bin() -> None:
    assert reliability(np.array([1.0]), np.array([True])).rows[-1] == 1


def test_a_fit_that_wants_to_leave_the_searched_temperatures_is_seen() -> None:
    truth = np.arange(2_000) % 3
    right, wrong = np.eye(3)[truth], np.eye(3)[(truth + 1) % 3]
    assert at_bound(fit_temperature(0.01 * right, truth)) == "lowest"
    assert at_bound(fit_temperature(100 * wrong, truth)) == "highest"
    assert at_bound(fit_temperature(2 * np.where(np.arange(2_000)[:, None] % 5 > 0, right, wrong), truth)) is None


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_a_power_that_bent_confidences_is_found_again(power: float) -> None:
    random = np.random.default_rng(0)
    chance = random.uniform(0.01, 0.99, 20_000)
    right = random.random(len(chance)) < chance
    assert fit_power(np.log(chance) / power, right) == pytest.approx(power, rel=0.05)


def test_a_power_of_nothing_is_one_and_certainty_does_not_break_it() -> None:
    assert fit_power(np.zeros(0), np.zeros(0, dtype=bool)) == 1.0
    assert np.isfinite(fit_power(np.array([0.0, 0.0, -700.0]), np.array([True, False, True])))


def test_the_temperature_of_the_best_makes_it_as_sure_as_it_is_right() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(size=(20_000, 6)) * 4
    scores[:, 5] = -np.inf  # absent in every row
    told = softmax(scores / 2.5).max(axis=1)
    right = random.random(len(told)) < told
    assert fit_temperature_of_best(scores, right) == pytest.approx(2.5, rel=0.03)
    assert fit_temperature_of_best(np.zeros((0, 3)), np.zeros(0, dtype=bool)) == 1.0
