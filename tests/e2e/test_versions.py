"""From a PASS to a version, an approval, a promotion, a rollback and a fresh clone, through the real stages."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.project import BIN, Project, make_project


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with remotes of its own on disk, run once."""
    place = tmp_path_factory.mktemp("versions")
    project = make_project(place / "anna")
    (project.root / ".dvc/config").write_text(
        f"[core]\n    analytics = false\n    remote = team\n['remote \"team\"']\n    url = {place / 'data'}\n"
    )
    project.git("commit", "-qam", "Name the team's remote")
    project.git("clone", "-q", "--bare", ".", str(place / "shared.git"))
    project.git("remote", "add", "origin", str(place / "shared.git"))
    project.run("run", "demo")
    return project


def status_of(project: Project) -> str:
    return subprocess.run(
        ["git", "status", "--porcelain"], cwd=project.root, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.slow
def test_from_a_verdict_to_a_version_that_another_clone_sees(shared: Project, tmp_path: Path) -> None:
    project = shared
    (first,) = project.json("versions", "list")["versions"]
    assert (first["name"], first["verdict"], first["live"]) == ("demo@v1.0.0", "PASS", [])
    assert project.states() == dict.fromkeys(project.states(), "unchanged")
    assert len(project.json("runs")["runs"]) == 1
    project.run("versions", "promote", "demo@v1.0.0", "production", "--why", "the first")
    assert set(project.states().values()) == {"unchanged"}

    found = project.report("evaluate")
    scores = found["models"][found["served"]]["metrics"][found["primary"]["name"]]
    floor = (scores["lower"] + scores["upper"]) / 2 + 1e-4
    project.edit("params.yaml", "floor: 0.8", f"floor: {floor:.5f}")
    project.run("run", "demo", status=4)
    stale = project.run("versions", "approve", "demo", "--why", "close enough", status=2)
    assert "demo@v1.0.0 is live now" in stale.stderr and "--force evaluate" in stale.stderr
    project.edit("params.yaml", "    gate:", "    export: {sure_precision: 0.9}\n    gate:")  # other serving files
    project.run("run", "demo", "--force", "evaluate", status=4)
    assert json.loads((project.root / "data/demo/inputs.json").read_text())["champion"]["version"] == "v1.0.0"

    project.edit("params.yaml", "demo:", "demo:  # edited after the run")
    before = status_of(project)
    approved = project.json("versions", "approve", "demo", "--why", "close enough")
    assert approved["version"] == "demo@v1.0.1" and approved["bento"].startswith("demo:")
    assert status_of(project) == before
    project.run("versions", "reject", "demo", "--why", "no", status=2)
    after = project.json("run", "demo")
    assert (after["verdict"], after["bento"], after["version"]) == ("UNDECIDED", approved["bento"], "demo@v1.0.1")
    assert {stage["name"]: stage["state"] for stage in after["stages"]}["package"] == "restored"

    project.run("versions", "promote", "demo@v1.0.1", "production", "--why", "approved")
    assert project.json("versions", "rollback", "demo", "--why", "slow")["version"] == "demo@v1.0.0"
    shown = json.loads(
        subprocess.run(
            [str(BIN / "dvc"), "exp", "show", "--json"], cwd=project.root, capture_output=True, check=True
        ).stdout
    )
    named = {each["name"] for entry in shown for each in entry["experiments"] or []}
    assert {run["name"] for run in project.json("runs")["runs"]} == named and len(named) == 5

    project.json("push")
    other = Project(tmp_path / "ben")
    project.git("clone", "-q", str(project.root.parent / "shared.git"), str(other.root))
    assert other.json("pull")["missing"] == 0
    for command in (("versions", "list"), ("runs",)):
        assert other.json(*command) == project.json(*command)
    compared = other.json("versions", "compare", "demo@v1.0.0", "demo@v1.0.1")
    assert [each["name"] for each in compared["settings"]] == [
        "export.sure_precision", "gate.floor",
    ] and compared["same_rows"]  # fmt: skip
    assert (compared["fixed"], compared["broken"]) == (0, 0)
