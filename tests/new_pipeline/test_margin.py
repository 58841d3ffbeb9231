"""The first margin: what the test rows certify, never below the default, never above what still guards."""

import pytest

from tunegate.new_pipeline.margin import first_margin, margin_comment


@pytest.mark.parametrize(
    ("rows", "margin"), [(0, 0.01), (10, 0.05), (225, 0.045), (1000, 0.02), (3710, 0.01), (100_000, 0.01)]
)
def test_the_first_margin_is_what_the_rows_certify(rows: int, margin: float) -> None:
    assert first_margin(rows) == margin


def test_the_comment_says_whether_the_rows_are_enough() -> None:
    assert margin_comment(0.045, 225) == "a new version may lose at most 4.5 points: 225 test rows can certify that"
    assert "that takes about 3,710 test rows, here are 225" in margin_comment(0.01, 225)
    assert margin_comment(0.01, 225).startswith("a new version may lose at most 1 point: ")
