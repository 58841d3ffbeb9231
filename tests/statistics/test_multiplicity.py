import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.statistics.multiplicity import holm, sign_test


def test_holm_gives_the_published_adjustment() -> None:
    """Wright 1992, Biometrics 48, 1005-1013: the smallest by their number, the next by one less, never falling."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_no_question_has_no_answer() -> None:
    assert len(holm([])) == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusting_keeps_the_order_and_never_flatters(values: list[float]) -> None:
    adjusted = holm(values)
    order = np.argsort(values, kind="stable")
    assert np.all(np.diff(adjusted[order]) >= 0)
    assert np.all(adjusted >= np.asarray(values)) and np.all(adjusted <= 1)
    assert adjusted.min() == pytest.approx(min(1.0, len(values) * min(values)))


def test_77_slices_of_an_equal_model_are_called_harmed_at_most_one_time_in_twenty() -> None:
    random = np.random.default_rng(0)
    told_apart = random.binomial(40, 0.06, size=(1500, 77))
    losses = random.binomial(told_apart, 0.5)
    p_values = sign_test(told_apart - losses, losses)
    alarms = [bool((holm(family) <= 0.05).any()) for family in p_values]
    assert np.mean(alarms) <= 0.05


def test_the_sign_test_gives_the_exact_tail() -> None:
    """9 of 10 against: 11 of 1024 outcomes are as bad or worse."""
    assert sign_test([1, 0, 5, 0], [9, 0, 0, 5]) == pytest.approx([11 / 1024, 1.0, 1.0, 1 / 32])


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_further_loss_is_more_evidence_and_a_further_win_less(wins: int, losses: int) -> None:
    now, worse, better = sign_test([wins, wins, wins + 1], [losses, losses + 1, losses])
    assert worse <= now <= better
