"""Newcombe's interval for two shares of different rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.statistics.independent import Share, difference


def test_it_is_the_published_interval() -> None:
    """Newcombe 1998, table II, method 10, contrast a: 56/70 against 48/80."""
    assert difference(Share(56, 70), Share(48, 80), error=0.025) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(st.integers(1, 200), st.integers(1, 200), st.data())
def test_it_holds_the_difference_and_turns_with_the_order(first: int, second: int, data: st.DataObject) -> None:
    one = Share(data.draw(st.integers(0, first)), first)
    two = Share(data.draw(st.integers(0, second)), second)
    low, high = difference(one, two)
    assert -1 - 1e-9 <= low <= one.value - two.value <= high <= 1 + 1e-9
    assert difference(two, one) == pytest.approx((-high, -low))
