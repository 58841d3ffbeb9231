"""Behaviour tests through the real stages: set, run, judged, and bound into the verdict."""

import json
from pathlib import Path

import pytest

from tests.trained import Trained
from tunegate.behaviour.results import Behaviour
from tunegate.errors import UserError

FILE = """\
tests:
  weather is weather:
    kind: minimum_functionality
    tolerated: 0
    templates: [rain and wind, a sunny sky]
    expected: {expected}
  case:
    kind: invariance
    perturb: case
    tolerated: 0.2
    templates: [RAIN and wind, A Sunny sky, SALT the soup]
"""


def judge(trained: Trained, expected: str) -> dict[str, str]:
    path = trained.workspace.root / "behaviour" / "demo.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(FILE.format(expected=expected), encoding="utf-8")
    trained.settings(evaluate={"behaviour": "behaviour/demo.yaml"})
    trained.run("evaluate")
    return {check.name: check.verdict for check in trained.run("gate").checks}


def verdict_hash(trained: Trained) -> str:
    return str(json.loads((trained.stage("gate") / "verdict.json").read_text())["hash"])


def test_a_test_that_fails_fails_the_gate_and_changes_the_verdicts_name(trained: Trained) -> None:
    found = judge(trained, "weather")
    assert found["behaviour:weather is weather"] == "PASS"
    assert found["behaviour:case"] == "UNDECIDED"  # three cases show little
    before = verdict_hash(trained)
    assert judge(trained, "food")["behaviour:weather is weather"] == "FAIL"
    assert verdict_hash(trained) != before
    text = (trained.stage("evaluate") / "behaviour.json").read_text(encoding="utf-8")
    behaviour = Behaviour.model_validate_json(text)
    assert set(behaviour.precisions) <= {"fp32", "bf16"}
    [first, *_] = behaviour.precisions["fp32"][0].examples
    assert (first.wanted, first.got) == ("food", "weather")


def test_a_file_that_is_gone_is_named(trained: Trained) -> None:
    trained.settings(evaluate={"behaviour": "behaviour/demo.yaml"})
    assert not Path(trained.workspace.root / "behaviour").exists()
    with pytest.raises(UserError, match=r"evaluate\.behaviour names behaviour/demo\.yaml"):
        trained.run("evaluate")


def test_without_the_setting_nothing_is_written(judged: Trained) -> None:
    assert not (judged.stage("evaluate") / "behaviour.json").exists()
