"""Does it pay? Real trainings beside the pipeline: kept, taken up where they were killed, its own results not moved."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.ablation.project import PIPELINE, SIZES, make_project
from tunegate.cli import run_command
from tunegate.progress import Progress
from tunegate.workspace import Workspace


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_project(tmp_path_factory.mktemp("ablated"))


@pytest.fixture(autouse=True)
def _inside(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    monkeypatch.delenv("TUNEGATE_STATE", raising=False)


def ablate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[dict[str, Any], str]:
    """The JSON on standard output, and what was told beside it."""
    capsys.readouterr()
    assert run_command(["ablate", PIPELINE, *arguments, "--json"]) == 0
    told = capsys.readouterr()
    return json.loads(told.out), told.err


def own_files(workspace: Workspace) -> dict[str, str]:
    """Everything of the project but the state folder."""
    files = [path for path in workspace.root.rglob("*") if path.is_file() and ".tunegate" not in path.parts]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_augmentation_is_judged_resumed_and_kept_and_the_pipeline_stays_as_it_is(
    project: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = own_files(project)
    advance = Progress.advance

    def until(self: Progress, what: str, done: int, total: int, note: str = "") -> None:
        advance(self, what, done, total, note)
        if what == "steps" and done >= 6:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "advance", until)
        assert run_command(["ablate", PIPELINE, "--seeds", "2"]) == 130
    first, told = ablate(capsys, "--seeds", "2")
    assert "4 of 4 trainings to do" in told and "resuming at step 4" in told
    [paid] = first["found"]
    assert paid["change"] == "augment" and paid["low"] <= paid["gain"] <= paid["high"]
    assert [pair["seed"] for pair in paid["seeds"]] == [0, 1]
    assert (first["rows"], first["split"]) == (SIZES["test"], "test")
    assert own_files(project) == before
    again, told = ablate(capsys, "--seeds", "2")
    assert again == first and "0 of 4 trainings to do" in told
    more, told = ablate(capsys, "--seeds", "3")
    assert "2 of 6 trainings to do" in told and more["found"][0]["seeds"][:2] == paid["seeds"]
    assert not list((project.state / "ablations").rglob("work"))


def test_a_change_is_tried_against_what_is_kept_and_people_are_told_in_a_sentence(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["ablate", PIPELINE, "--seeds", "2", "--set", "train.epochs=1 augment.swap=0", "--without", "augment"]
    assert run_command(command) == 0
    told = capsys.readouterr().out
    assert "train.epochs=1 augment.swap=0\n" in told and "\naugment\n" in told and "97.5 % intervals" in told
    assert told.count("over 2 seeds") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "augment.swop=1"], 'swop is no setting. Did you mean "swap"?'),
        (["--set", "augment.shuffle=1"], "would not keep the answers true"),
        (["--set", "augment.replacement=1"], "must set synonyms"),
        (["--set", "split.test=0.1"], "no setting that can be tried on the same rows"),
        (["--set", "augment.swap"], "sets nothing"),
        (["--set", "augment.swap=[1"], "[1 is no value"),
        (["--set", "augment.swap=1"], "changes nothing"),
        (["--without", "train.r_drop"], "does not set it"),
        (["--without", "gate"], "no setting that can be tried"),
        (["--each", "--without", "augment"], "--each goes with augmentation alone"),
        (["--on", "train"], "Choose test or validation"),
        (["--seeds", "1"], "greater than or equal to 2"),
    ],
)
def test_a_slip_is_answered_with_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run_command(["ablate", PIPELINE, *arguments]) == 2
    assert said in capsys.readouterr().err


def test_rows_of_other_settings_are_not_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    workspace.params.write_text(workspace.params.read_text().replace("test: 0.4", "test: 0.3"))
    assert run_command(["ablate", PIPELINE]) == 2
    assert "split of demo changed since its rows were checked" in capsys.readouterr().err


def test_without_augmentation_set_the_tasks_own_operations_are_tried(project: Workspace) -> None:
    from tunegate.ablation.arms import augmentation, settings_of

    settings = settings_of(project, PIPELINE)
    none = settings.model_copy(update={"augment": type(settings.augment)()})
    said = [change.said for change in augmentation(none, each=True)]
    assert said[0] == "augment.insertion=1 augment.swap=1 augment.deletion=1"
    assert said[1:] == ["augment.insertion=1", "augment.swap=1", "augment.deletion=1"]
    assert [change.said for change in augmentation(settings, each=True)] == ["augment"]
