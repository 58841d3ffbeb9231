"""The first margin: what the test rows certify, never below the default, never above what still guards."""

import pytest

from tunegate.new_pipeline.margin import MOST_LOSS, first_margin, margin_comment, unit_of
from tunegate.task import Metric
from tunegate.tasks import TASKS, answering_of

ACCURACY = answering_of("text_classification").METRICS[0]
LOSS = Metric("loss", "loss per word", False, "record", lambda sums: sums["loss"])


@pytest.mark.parametrize(
    ("rows", "margin"), [(0, 0.01), (10, 0.05), (225, 0.045), (1000, 0.02), (3710, 0.01), (100_000, 0.01)]
)
def test_the_first_margin_is_what_the_rows_certify(rows: int, margin: float) -> None:
    assert first_margin(rows) == margin


def test_the_comment_says_whether_the_rows_are_enough() -> None:
    assert (
        margin_comment(0.045, 225, ACCURACY)
        == "a new version may lose at most 4.5 points: 225 test rows can certify that"
    )
    assert "that takes about 3,710 test rows, here are 225" in margin_comment(0.01, 225, ACCURACY)
    assert margin_comment(0.01, 225, ACCURACY).startswith("a new version may lose at most 1 point: ")


def test_a_loss_is_no_share_of_rows_and_its_margin_is_said_in_its_own_unit() -> None:
    assert unit_of(LOSS) == "loss"
    assert first_margin(10, "loss") == first_margin(100_000, "loss") == MOST_LOSS
    assert margin_comment(0.05, 225, LOSS) == "a new version's loss per word may be larger by at most 0.05"


@pytest.mark.parametrize("task", TASKS)
def test_points_are_said_of_metrics_that_are_shares(task: str) -> None:
    metric = answering_of(task).METRICS[0]
    assert unit_of(metric) == "points" or not metric.higher_is_better
