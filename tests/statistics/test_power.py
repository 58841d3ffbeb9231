"""The margin that a test set certifies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.statistics.power import ALPHA, DISCORDANCE, POWER, certified_margin, rows_for_margin


def test_the_known_sizes_certify_the_known_margins() -> None:
    assert certified_margin(225) == pytest.approx(0.041, abs=0.001)
    assert certified_margin(4000) == pytest.approx(0.0096, abs=0.0001)


def test_four_times_the_rows_halve_the_margin() -> None:
    assert certified_margin(400) == pytest.approx(2 * certified_margin(1600))


@given(st.floats(min_value=0.001, max_value=0.5))
def test_the_rows_asked_for_certify_the_margin_and_one_row_less_does_not(margin: float) -> None:
    rows = rows_for_margin(margin)
    assert certified_margin(rows) <= margin * (1 + 1e-9)
    assert rows == 1 or certified_margin(rows - 1) > margin * (1 - 1e-9)


def test_a_margin_is_never_above_everything() -> None:
    assert certified_margin(1, discordance=1.0) == 1.0


@pytest.mark.parametrize("call", [lambda: certified_margin(0), lambda: rows_for_margin(0.0)])
def test_nothing_certifies_nothing(call: object) -> None:
    with pytest.raises(ValueError):
        call()  # type: ignore[operator]


def test_an_equal_model_is_certified_as_often_as_the_power_says() -> None:
    """Simulated: two equal models, discordant on 6 % of 2,000 rows, judged by the one-sided bound of the difference."""
    rows, repeats = 2000, 20_000
    rng = np.random.default_rng(0)
    wins, losses, _ = rng.multinomial(rows, [DISCORDANCE / 2, DISCORDANCE / 2, 1 - DISCORDANCE], size=repeats).T
    difference = (wins - losses) / rows
    error = np.sqrt((wins + losses) / rows - difference**2) / np.sqrt(rows)
    certified = difference - 1.6449 * error > -certified_margin(rows)
    assert ALPHA == 0.05
    assert certified.mean() == pytest.approx(POWER, abs=0.015)
