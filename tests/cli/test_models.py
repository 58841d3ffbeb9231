"""`tunegate models` on the command line, in a project of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.encoders import tiny_encoder
from tunegate.cli import run_command


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_text("pipelines: {}\n")
    monkeypatch.chdir(root)
    return root


def test_a_model_is_added_tracked_and_listed(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEGATE_STATE", str(project.parent / "state"))
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(project.parent / "site"))
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=project, check=True)
    base = tiny_encoder("bert", project.parent / "base", layers=1)
    capsys.readouterr()
    assert run_command(["models", "add", "small", "--folder", str(base), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["changed"] is True and told["tracked_by"] == "data/models/small.dvc"
    assert (project / "data/models/small.dvc").is_file()
    assert run_command(["models", "add", "small", "--folder", str(base)]) == 0
    assert "nothing changed" in capsys.readouterr().out
    assert run_command(["models", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "small"


def test_without_a_model_the_list_says_how_to_add_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["models", "list"]) == 0
    assert "tunegate models add NAME" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "comes from one place, and 0 were given"),
        (["--folder", "x", "--package", "y"], "comes from one place, and 2 were given"),
        (["--folder", "nowhere"], "There is no folder nowhere"),
        (["--package", "surely-not-installed"], "No Python package 'surely-not-installed' is installed"),
        (["--hub", "a b"], "'a b' is no name on the hub"),
    ],
)
def test_a_wrong_source_is_two_sentences(
    given: list[str], said: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["models", "add", "small", *given]) == 2
    assert said in capsys.readouterr().err


def test_a_hub_that_cannot_be_reached_is_somebody_elses_failure(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert run_command(["models", "add", "small", "--hub", "owner/name@main"]) == 75
    assert "could not be brought from the hub" in capsys.readouterr().err


def test_an_empty_list_names_every_way_to_add_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["models", "list"]) == 0
    told = capsys.readouterr().out
    assert all(form in told for form in ("--package", "--folder", "--hub"))
