"""Behaviour tests of a task that answers numbers: how far one may move, in its own unit."""

from pathlib import Path

import numpy as np
import pytest

from tunegate.behaviour.cases import Case
from tunegate.behaviour.results import TestResult
from tunegate.behaviour.running import Answers, _check_labels, _check_scores, read_file, results
from tunegate.errors import UserError

FILE = """\
tests:
  {name}:
    {test}
    tolerated: 0.5
"""
FIRST, SECOND = {"text": "good soup"}, {"text": "goood soup"}


def answers(first: float, second: float, half: float = 1.0, numbers: bool = True) -> Answers:
    said = np.array([first, second])
    intervals = np.stack([said - half, said + half], axis=1) if numbers else None
    number = {tuple(FIRST.items()): 0, tuple(SECOND.items()): 1}
    return Answers(
        number, [f"{value:g}" for value in said], np.array([[0.3], [0.4]]), [] if numbers else ["a"], intervals
    )


def run(folder: Path, test: str, given: Answers) -> TestResult:
    path = folder / "tests.yaml"
    path.write_text(FILE.format(name="moves", test=test.replace("; ", "\n    ")))
    file = read_file(path, "tests.yaml", ("text",))
    _check_scores(file, "tests.yaml", given)
    _check_labels(file, "tests.yaml", given, of_sets=False)
    case = Case(None, FIRST) if "minimum" in test else Case("r1", FIRST, (SECOND,))
    return results(file, {"moves": [case]}, given)[0]


INVARIANCE = "kind: invariance; perturb: typos; rows: 1"
EXPECTED = 'kind: minimum_functionality; templates: ["good soup"]; expected: "4.5"'
DIRECTION = "kind: direction; rows: 1; add: not bad"


@pytest.mark.parametrize(
    ("test", "first", "second", "failures"),
    [
        (INVARIANCE, 4.0, 4.9, 0),  # within the first answer's interval
        (INVARIANCE, 4.0, 5.1, 1),
        (f"{INVARIANCE}; within: 0.5", 4.0, 4.4, 0),
        (f"{INVARIANCE}; within: 0.5", 4.0, 4.9, 1),
        (f"{INVARIANCE}; within: 2", 4.0, 5.9, 0),
        (EXPECTED, 4.0, 0.0, 0),
        (f"{EXPECTED}; within: 0.25", 4.0, 0.0, 1),
        (f"{EXPECTED}; within: 0.25", 4.3, 0.0, 0),
        (f"{DIRECTION}; score: must_not_fall", 4.0, 3.9, 1),
        (f"{DIRECTION}; score: must_not_fall; by: 20", 40.0, 25.0, 0),
        (f"{DIRECTION}; score: must_not_rise", 4.0, 4.2, 1),
    ],
)
def test_a_number_may_move_as_far_as_the_test_says(
    test: str, first: float, second: float, failures: int, tmp_path: Path
) -> None:
    assert run(tmp_path, test, answers(first, second)).failures == failures


def test_what_was_wanted_names_the_unit_s_tolerance(tmp_path: Path) -> None:
    found = run(tmp_path, f"{INVARIANCE}; within: 0.5", answers(4.0, 4.9))
    assert found.what == "typos (1) does not move the number by more than 0.5"
    assert (found.examples[0].wanted, found.examples[0].got) == ("4, give or take 0.5, as before the change", "4.9")
    moved = run(tmp_path, f"{DIRECTION}; score: must_not_fall; by: 0.1", answers(4.0, 3.0))
    assert moved.examples[0].wanted == "a number of at least 3.900"
    assert moved.what == "an addition does not let the number fall by more than 0.1"


@pytest.mark.parametrize(
    ("test", "numbers", "said"),
    [
        (f"{INVARIANCE}; within: 0.5", False, "answers no numbers"),
        (f"{EXPECTED}; within: 0.5", False, "answers no numbers"),
        (f"{DIRECTION}; score: must_not_fall", False, "names no label"),
        (f"{DIRECTION}; score: must_not_fall; label: a", True, "Take the label out"),
        (f"{DIRECTION}; score: must_not_fall; label: a; by: 3", False, "a score is at most 1"),
        (EXPECTED.replace('"4.5"', "many"), True, "Write the number in quotes"),
    ],
)
def test_a_test_of_the_other_kind_of_answer_is_a_mistake(test: str, numbers: bool, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        run(tmp_path, test, answers(4.0, 4.0, numbers=numbers))
    assert said in str(caught.value)
