"""Correlations are SciPy's, and an interval holds the right number as often as it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.statistics.prediction import half_width, pearson, spearman

PAIRS = st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=2, max_size=40)


def from_sums(x: np.ndarray, y: np.ndarray) -> float:
    def total(values: np.ndarray) -> np.ndarray:
        return np.array([values.sum()], dtype=float)

    size = np.array([float(len(x))])
    return float(pearson(size, x=total(x), y=total(y), xx=total(x * x), yy=total(y * y), xy=total(x * y))[0])


@given(PAIRS, st.sampled_from([0.0, 3.0, 1_000.0]))
def test_correlations_are_scipys_wherever_the_numbers_lie(pairs: list[tuple[int, int]], offset: float) -> None:
    from scipy import stats

    x, y = (np.array(side, dtype=float) + offset for side in zip(*pairs, strict=True))
    if x.std() == 0 or y.std() == 0:
        assert from_sums(x, y) == spearman(x, y) == 0.0
        return
    assert from_sums(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-6)
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)


@pytest.mark.parametrize("rows", [15, 50, 400])
def test_the_interval_holds_a_new_number_as_often_as_it_says(rows: int) -> None:
    random = np.random.default_rng(rows)
    held, said = [], 0.0
    for _ in range(600):
        half, said = half_width(np.abs(random.standard_t(4, rows)), 0.9)
        held.append((np.abs(random.standard_t(4, 200)) <= half).mean())
    assert said >= 0.9
    assert np.mean(held) == pytest.approx(said, abs=0.012)


def test_few_rows_say_how_little_they_know() -> None:
    assert half_width(np.array([1.0, 3.0, 2.0]), 0.9) == (3.0, 0.75)
