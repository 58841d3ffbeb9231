import numpy as np
import pytest

from tunegate.statistics.proportions import Paired, lower_bound, tango
from tunegate.statistics.rows_needed import for_difference, for_estimate, for_share


def test_a_perfect_model_needs_as_many_rows_as_the_exact_bound_says() -> None:
    """0.95 ** 59 < 0.05 < 0.95 ** 58."""
    assert for_share(1.0, 0.95) == 59


@pytest.mark.parametrize(("share", "threshold"), [(0.85, 0.8), (0.97, 0.95), (0.6, 0.7)])
def test_the_rows_asked_for_settle_it_four_times_in_five(share: float, threshold: float) -> None:
    rows = for_share(share, threshold)
    assert rows is not None
    right = np.random.default_rng(0).binomial(rows, share, size=4000)
    if share > threshold:
        settled = {count: lower_bound(int(count), rows) > threshold for count in np.unique(right)}
    else:
        settled = {count: 1 - lower_bound(rows - int(count), rows) < threshold for count in np.unique(right)}
    assert 0.77 < np.mean([settled[count] for count in right]) < 0.86


def test_a_share_on_its_threshold_is_settled_by_no_number_of_rows() -> None:
    assert for_share(0.8, 0.8) is None
    assert for_share(0.8, 0.8001) is None


def test_the_rows_asked_for_show_a_difference_four_times_in_five() -> None:
    rows = for_difference(Paired(18, 10, 200), 0.0)
    assert rows is not None
    drawn = np.random.default_rng(0).multinomial(rows, [0.09, 0.05, 0.86], size=1500)
    shown = np.mean([tango(Paired(int(wins), int(losses), rows))[0] > 0 for wins, losses, _ in drawn])
    assert 0.76 < shown < 0.86


def test_rows_that_tell_nothing_apart_promise_nothing() -> None:
    assert for_difference(Paired(0, 0, 100), 0.0) is None
    assert for_difference(Paired(7, 7, 100), 0.0) is None


def test_half_the_distance_needs_four_times_the_rows() -> None:
    near, far = for_estimate(100, 0.02, 0.05), for_estimate(100, 0.04, 0.05)
    assert near and far and near == pytest.approx(4 * far, rel=0.01)
    assert for_estimate(100, 0.0, 0.05) is None
