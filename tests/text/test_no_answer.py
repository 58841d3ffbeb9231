"""The threshold of "no answer" is the best of all that could be chosen."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tunegate.text.no_answer import best_threshold

ROWS = st.lists(st.tuples(st.integers(-5, 5), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12)


def worth(threshold: float, rows: list[tuple[int, float, float]]) -> float:
    return sum(none if lead > threshold else span for lead, none, span in rows)


@given(ROWS)
def test_no_other_threshold_is_worth_more(rows: list[tuple[int, float, float]]) -> None:
    lead, none, span = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    chosen = best_threshold(lead, none, span)
    assert worth(chosen, rows) >= max(worth(place + 0.5, rows) for place in range(-7, 7)) - 1e-6
    assert not np.isin(chosen, lead)  # no row lies on it


def test_it_lies_in_the_widest_gap() -> None:
    lead = np.array([-8.0, -7.0, 5.0, 6.0])
    assert best_threshold(lead, np.array([0.0, 0.0, 1.0, 1.0]), np.array([1.0, 1.0, 0.0, 0.0])) == -1.0
