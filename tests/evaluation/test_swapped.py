import random

import pyarrow as pa
import pytest

from tunegate.evaluation.swapped import pairs, swapped
from tunegate.tasks import TASKS, examples_of, record_of

LABELS = ["a", "b", "c", "d"]


def answers(called: dict[str, str], rows: int, right: float) -> tuple[list[str], list[str]]:
    """Rows of each label, answered as `called` says with that probability, else with any label."""
    draw = random.Random(3)
    truth = [label for label in LABELS for _ in range(rows)]
    return truth, [called.get(label, label) if draw.random() < right else draw.choice(LABELS) for label in truth]


@pytest.mark.parametrize("called", [{"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "d", "d": "a"}])
@pytest.mark.parametrize("right", [0.8, 1.0])
def test_names_that_changed_places_are_found_by_the_answers(called: dict[str, str], right: float) -> None:
    assert swapped(*answers(called, 60, right)) == called


@pytest.mark.parametrize(
    ("called", "rows", "right"),
    [
        ({}, 60, 1.0),
        ({}, 60, 0.0),  # knows nothing
        (dict.fromkeys(LABELS, "a"), 60, 1.0),  # collapsed to one label
        ({"a": "b"}, 60, 1.0),  # takes one label for another, and not the other way
        ({"a": "b", "b": "a"}, 3, 1.0),  # too few rows to be sure
    ],
)
def test_a_bad_model_is_not_taken_for_one_with_wrong_names(called: dict[str, str], rows: int, right: float) -> None:
    assert swapped(*answers(called, rows, right)) == {}


@pytest.mark.parametrize("task", TASKS)
def test_the_right_answers_of_any_task_are_paired_with_themselves(task: str) -> None:
    payload = record_of(task).PAYLOAD
    records = examples_of(record_of(task))
    right, given = pairs(records, records, payload)
    assert right == given and all(isinstance(name, str) for name in right)
    assert pairs(records, pa.table({"other": [0] * len(records)}), payload) == ([], [])
