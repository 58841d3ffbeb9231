"""A run of data that nobody has accepted waits, with the exit status of what waits for a person, and goes on after."""

from pathlib import Path

import pytest

from tests.e2e.project import make_project

pytestmark = pytest.mark.slow


def test_a_run_waits_after_validate_until_a_person_accepts(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    project.edit("params.yaml", "    data: demo\n", "    data: demo\n    review: required\n")
    waiting = project.json("run", "demo", status=4)
    states = {stage["name"]: stage["state"] for stage in waiting["stages"]}
    assert (states["validate"], states["augment"], states["train"]) == ("ran", "failed", "not reached")
    assert "tunegate data accept demo --why" in waiting["failure"]["remedy"]
    assert project.run("run", "demo", status=4).returncode == 4  # asking again changes nothing
    project.run("data", "accept", "demo", "--why", "looked at every row")
    states = project.states(status=None)
    assert states["validate"] == "unchanged" and states["augment"] == states["package"] == "ran"
    assert set(project.states(status=None).values()) == {"unchanged"}
