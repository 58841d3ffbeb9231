"""The example's own behaviour tests are a file that the gate can read, and the settings name it."""

from pathlib import Path

from tunegate.behaviour.reading import read_behaviour
from tunegate.params_file import load_pipelines
from tunegate.tasks import options_of

ROOT = Path(__file__).parents[2]


def test_the_examples_tests_are_valid_and_of_all_three_kinds() -> None:
    settings = load_pipelines(ROOT / "params.yaml", options_of)["support"]
    assert settings.evaluate.behaviour == "behaviour/support.yaml"
    tests = read_behaviour(ROOT / settings.evaluate.behaviour, ("text", "text_b")).tests
    assert {test.kind for test in tests.values()} == {"minimum_functionality", "invariance", "direction"}


def test_every_team_has_a_plain_case() -> None:
    settings = load_pipelines(ROOT / "params.yaml", options_of)["support"]
    tests = read_behaviour(ROOT / "behaviour/support.yaml", ("text", "text_b")).tests.values()
    asked = {label for test in tests if test.kind == "minimum_functionality" for label in test.expected}
    assert set(settings.validation.labels or ()) - asked <= {"orders"}
