"""`tunegate versions verify` and `why` as a person types them, and as programs read them."""

import json
from pathlib import Path

import pytest

from tests.releases.project import change, make_project, run
from tunegate.cli import run_command
from tunegate.cli.verify import _stage
from tunegate.dvc.tracking import track_edit
from tunegate.releases.registering import register_run
from tunegate.releases.why import StageWhy
from tunegate.workspace import Workspace

NAME = "demo@v1.0.0"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A version, made by the first of two runs on different rows."""
    workspace = make_project(tmp_path / "p", verdict="PASS")
    register_run(workspace, run(workspace), workspace)
    change(workspace, verdict="PASS", rows="two\n", name="2")
    track_edit(workspace, workspace.raw("demo"))
    run(workspace, "demo-20260102-000000")
    monkeypatch.chdir(workspace.root)
    return workspace


def test_the_exit_status_tells_same_from_different_from_missing(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["versions", "verify", NAME]) == 0
    assert f"{NAME} is what was registered" in capsys.readouterr().out
    (stored,) = (path for path in (project.root / ".dvc/cache").rglob("*") if path.is_file() and _is(path, b"one\n"))
    stored.chmod(0o644)
    stored.write_bytes(b"onE\n")
    assert run_command(["versions", "verify", NAME, "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["same"], found["difference"]["path"]) == (False, "data/raw/demo/rows.csv")
    stored.unlink()
    assert run_command(["versions", "verify", NAME]) == 75
    assert "cannot be checked, first in the raw data: data/raw/demo/rows.csv" in capsys.readouterr().out
    assert run_command(["versions", "verify", "demo@v9.0.0"]) == 2


def test_why_tells_the_story_and_the_same_as_an_object(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["versions", "why", "demo", "train"]) == 0
    out = capsys.readouterr().out
    assert "data/demo/validate/train.parquet changed, which validate made" in out
    assert "goes back to: data/raw/demo/rows.csv changed" in out
    assert run_command(["versions", "why", "demo", "--json"]) == 0
    (train,) = json.loads(capsys.readouterr().out)["stages"]
    assert train["goes_back_to"] == ["data/raw/demo/rows.csv changed"]


def test_what_the_first_run_on_record_reused_is_not_said_of_a_run_before() -> None:
    (line,) = _stage(StageWhy("train", "unchanged", 0.0), first=True)
    assert line.strip() == "train      reused: results that were there before the first record"


def _is(path: Path, content: bytes) -> bool:
    return path.read_bytes() == content
