"""`tunegate gate`: the self-test's table, and behaviour tests tried without a run."""

import json

import pytest

from tests.trained import PIPELINE, Trained
from tunegate.cli import run_command

ENTRY = "{task: text_classification, data: demo, model: models/m}"
PARAMS = f"pipelines:\n  demo: {ENTRY}\n  new: {ENTRY}\n"
TESTS = """\
tests:
  weather is food:
    kind: minimum_functionality
    templates: [rain and wind]
    expected: %s
    tolerated: 0
"""


@pytest.fixture
def project(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Trained:
    root = trained.workspace.root
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_text(PARAMS)
    monkeypatch.chdir(root)
    return trained


def test_the_selftest_says_what_the_gate_does(project: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["gate", "selftest", PIPELINE, "--trials", "5"]) == 0
    out = capsys.readouterr().out
    for part in ("48 test rows", "an equal model", "2 points worse", "vocabulary swapped", "The gate blocks an equal"):
        assert part in out
    assert run_command(["gate", "selftest", PIPELINE, "--trials", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trials"] == 2


def test_failing_behaviour_is_shown_and_told_by_the_exit_status(
    project: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project.workspace.root / "mine.yaml"
    path.write_text(TESTS % "food")
    assert run_command(["gate", "behaviour", PIPELINE, "mine.yaml"]) == 3
    out = capsys.readouterr().out
    assert "FAIL       weather is food" in out and "wanted food, got weather" in out and "rain and wind" in out
    path.write_text(TESTS % "weather")
    assert run_command(["gate", "behaviour", PIPELINE, "mine.yaml", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == "PASS" and answer["tests"][0]["failures"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["selftest", "nobody"], 'no pipeline "nobody"'),
        (["selftest", "new"], "new has no exported model yet"),
        (["behaviour", "demo"], "evaluate.behaviour is not set"),
        (["behaviour", "demo", "nowhere.yaml"], "There is no file nowhere.yaml"),
    ],
)
def test_what_is_missing_is_a_sentence(
    project: Trained, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run_command(["gate", *arguments]) == 2
    assert said in capsys.readouterr().err
