"""`tunegate data`: what it copies lies under data/raw, and DVC tracks it."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.projects import make_project
from tunegate.catalogue.sets import public_sets
from tunegate.cli import run_command
from tunegate.tasks import TASKS
from tunegate.workspace import Workspace


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    (tmp_path / "project").mkdir()
    workspace = make_project(tmp_path / "project")
    monkeypatch.chdir(workspace.root)
    monkeypatch.delenv("TUNEGATE_MIRROR", raising=False)
    monkeypatch.setenv("TUNEGATE_STATE", str(workspace.root / ".tunegate"))
    return workspace


def test_added_files_are_tracked_and_the_same_ones_change_nothing(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.csv").write_text("text,label\na,b\n")
    assert run_command(["data", "add", "mine", str(tmp_path / "mine.csv")]) == 0
    assert (project.raw("mine") / "mine.csv").read_text() == "text,label\na,b\n"
    assert project.raw("mine.dvc").is_file()
    assert "commit data/raw/mine.dvc" in capsys.readouterr().out
    assert run_command(["data", "add", "mine", str(tmp_path / "mine.csv"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"name": "mine", "changed": [], "tracked_by": "data/raw/mine.dvc"}


def test_changed_data_no_longer_names_the_remote_it_came_from(project: Workspace, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\na,b\n")
    assert run_command(["data", "add", "other", str(tmp_path / "rows.csv")]) == 0
    tracked = project.raw("other.dvc")
    tracked.write_text(tracked.read_text() + "  remote: example\n")
    assert run_command(["data", "add", "other"]) == 0
    assert "remote: example" in tracked.read_text()
    (tmp_path / "more.csv").write_text("text,label\nc,d\n")
    assert run_command(["data", "add", "other", str(tmp_path / "more.csv")]) == 0
    assert "remote" not in tracked.read_text() and "nfiles: 2" in tracked.read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["add", "Mine", "x.csv"], "is not a name of data"),
        (["add", "mine", "x.csv"], "no file and no folder"),
        (["add", "empty"], "holds nothing"),
        (["fetch", "banking7"], 'Did you mean "banking77"'),
        (["fetch", "banking77", "--mirror", "nowhere"], "is not a folder"),
    ],
)
def test_mistakes_are_told_and_end_with_status_2(
    project: Workspace, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert run_command(["data", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_the_list_names_every_set_with_its_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["data", "list"]) == 0
    assert "banking77: " in (shown := capsys.readouterr().out) and "CC BY 4.0" in shown
    unknown = [public.task for public in public_sets().values() if public.task not in TASKS]
    assert shown.count("(task not in this version)") == len(unknown)
    assert run_command(["data", "list", "--json"]) == 0
    assert {"name", "licence", "citation", "url", "files"} <= json.loads(capsys.readouterr().out)[0].keys()


def test_a_set_is_fetched_from_the_mirror_that_the_environment_names(
    project: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = b"text,label\na,b\n"
    table = tmp_path / "sets.toml"
    digest = hashlib.sha256(content).hexdigest()
    table.write_text(
        '[tiny]\ntitle = "t"\ntask = "text_classification"\nlicence = "CC0"\ncitation = "c"\n'
        f'files = [{{ path = "rows.csv", sha256 = "{digest}" }}]\n[tiny.ingest]\nquoting = false\n'
    )
    from tunegate.catalogue import sets

    sets.public_sets.cache_clear()
    monkeypatch.setattr(sets, "TABLE", table)
    (tmp_path / "mirror" / "tiny").mkdir(parents=True)
    (tmp_path / "mirror" / "tiny" / "rows.csv").write_bytes(content)
    monkeypatch.setenv("TUNEGATE_MIRROR", str(tmp_path / "mirror"))
    assert run_command(["data", "fetch", "tiny"]) == 0
    shown = capsys.readouterr().out
    assert "data: tiny" in shown and "quoting: false" in shown and "Licence: CC0" in shown
    assert (project.raw("tiny") / "rows.csv").read_bytes() == content and project.raw("tiny.dvc").is_file()
    assert run_command(["data", "fetch", "tiny", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is False
    sets.public_sets.cache_clear()
