import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.statistics.proportions import Paired, clopper_pearson, lower_bound, tango, upper_bound, wilson


def test_wilson_gives_the_published_interval() -> None:
    """Newcombe 1998, Statistics in Medicine 17, 857-872, table I: 81 of 263, 15 of 148."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)


def test_the_exact_interval_is_the_published_one() -> None:
    """The same table: 81 of 263 and 1 of 29."""
    assert clopper_pearson(81, 263) == pytest.approx((0.2527, 0.3676), abs=1e-4)
    assert clopper_pearson(1, 29) == pytest.approx((0.0009, 0.1776), abs=1e-4)


def test_all_right_is_no_proof_of_perfection() -> None:
    assert lower_bound(30, 30) == pytest.approx(0.05 ** (1 / 30))
    assert upper_bound(30, 30) == 1.0
    assert wilson(30, 30)[0] == pytest.approx(0.025 ** (1 / 30))


@pytest.mark.parametrize(("wins", "losses", "rows"), [(1, 0, 44), (9, 2, 60), (20, 35, 300), (40, 40, 90)])
def test_at_tangos_bounds_the_score_statistic_is_the_normal_quantile(wins: int, losses: int, rows: int) -> None:
    """The likeliest shares under the bound's difference are searched here, not taken from Tango's formula."""
    for bound, sign in zip(tango(Paired(wins, losses, rows), error=0.025), (1, -1), strict=True):
        losing = np.linspace(max(0.0, -bound), (1 - bound) / 2, 400_001)[1:-1]
        rest = 1 - 2 * losing - bound
        likelihood = wins * np.log(losing + bound) + losses * np.log(losing) + (rows - wins - losses) * np.log(rest)
        likeliest = losing[np.argmax(likelihood)]
        variance = rows * (2 * likeliest + bound - bound**2)
        assert (wins - losses - rows * bound) / np.sqrt(variance) == pytest.approx(sign * 1.95996, abs=2e-3)


def test_rows_that_tell_nothing_apart_still_leave_room_for_a_difference() -> None:
    low, high = tango(Paired(0, 0, 100))
    assert -0.04 < low < -0.02 and 0.02 < high < 0.04
    assert low == pytest.approx(-high)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 200))
def test_tango_is_the_same_from_either_side(wins: int, losses: int, others: int) -> None:
    rows = wins + losses + others
    low, high = tango(Paired(wins, losses, rows))
    mirrored = tango(Paired(losses, wins, rows))
    assert (low, high) == pytest.approx((-mirrored[1], -mirrored[0]), abs=1e-9)
    assert -1 <= low <= (wins - losses) / rows <= high <= 1


def test_the_one_sided_bound_misses_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    shares, rows = (0.06, 0.03, 0.91), 300
    drawn = rng.multinomial(rows, shares, size=1500)
    missed = np.mean([tango(Paired(int(w), int(lost), rows))[0] > 0.03 for w, lost, _ in drawn])
    assert 0.03 < missed < 0.07
