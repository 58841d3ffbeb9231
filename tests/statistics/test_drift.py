import numpy as np
import pytest

from tunegate.statistics.drift import stability_index, stability_limit


def test_equal_histograms_are_stable() -> None:
    counts = np.array([10.0, 20.0, 30.0])
    assert stability_index(counts, counts) == 0


def test_the_index_is_the_textbooks_value() -> None:
    before, after = np.array([50_000.0, 50_000.0]), np.array([60_000.0, 40_000.0])
    assert stability_index(before, after) == pytest.approx(0.1 * np.log(0.6 / 0.5) - 0.1 * np.log(0.4 / 0.5), abs=1e-4)


def test_an_emptied_cell_is_no_infinity() -> None:
    assert np.isfinite(stability_index(np.array([10.0, 10.0]), np.array([20.0, 0.0])))


def test_small_samples_raise_the_limit_above_the_usual_one() -> None:
    assert stability_limit(10, 100, 100) == pytest.approx(27.877 / 50, abs=1e-3)  # chi-square table, 9 degrees
    assert stability_limit(10, 100_000, 100_000) == 0.2


def test_one_cell_or_no_rows_can_show_no_drift() -> None:
    assert stability_limit(1, 100, 100) == float("inf")
    assert stability_limit(5, 0, 100) == float("inf")


def test_two_samples_of_one_distribution_hardly_ever_exceed_the_limit() -> None:
    random = np.random.default_rng(0)
    shares = np.full(10, 0.1)
    alarms = [
        stability_index(random.multinomial(100, shares).astype(float), random.multinomial(100, shares).astype(float))
        > stability_limit(10, 100, 100)
        for _ in range(2_000)
    ]
    assert np.mean(alarms) < 0.005
