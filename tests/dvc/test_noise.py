"""What DVC says of an empty folder and of a stage that has already said why it failed."""

import pytest

from tests.dvc.test_running import ready, run, script
from tunegate.dvc.noise import is_noise
from tunegate.dvc.project import Step
from tunegate.dvc.running import CrashedError, Listener, run_step

__all__ = ["ready"]


def test_an_empty_folder_makes_dvc_say_noise_and_nothing_else(ready) -> None:
    script(ready, "echo working; mkdir -p data/one/second\n")
    _, lines, _ = run(ready)
    assert lines != ["working"] and [line for line in lines if not is_noise(line)] == ["working"]


def test_of_a_failed_stage_its_own_words_are_left(ready) -> None:
    script(ready, "echo the reason; exit 3\n")
    lines: list[str] = []
    with pytest.raises(CrashedError, match=r"lines:\n  the reason \nThis is a fault"):
        run_step(ready, Step("second", "one"), Listener(lines.append))
    assert len(lines) > 1 and [line for line in lines if not is_noise(line)] == ["the reason"]


@pytest.mark.parametrize(
    "line", ["WARNING: 'rows' is empty, which is a mistake.", "it failed to run: x", "dvc: no space"]
)
def test_lines_that_say_something_stay(line: str) -> None:
    assert not is_noise(line)
