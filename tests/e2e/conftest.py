"""One finished run for the whole session; tests that change something work on a copy."""

import fcntl
import os
from pathlib import Path

import pytest

from tests.e2e.project import Project, make_project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Project:
    """The pipeline `demo`, run once to a PASS, by one of the processes that test. Not to be changed."""
    alone = worker_id == "master"
    shared = tmp_path_factory.getbasetemp() if alone else tmp_path_factory.getbasetemp().parent
    with (shared / "finished.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = shared / "finished" / "done"
        if not done.exists():
            project = make_project(shared / "finished" / "project")
            project.json("run", "demo")
            done.touch()
    return Project(shared / "finished" / "project")


@pytest.fixture
def project(finished: Project, tmp_path: Path, server: str) -> Project:
    """A copy of the finished project, to change; its runs share one server."""
    return finished.copy(tmp_path / "project", server)


@pytest.fixture(autouse=True)
def _nothing_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """State stays in the project: no variable of the person who runs the tests leads elsewhere."""
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "BENTOML_", "TUNEGATE_", "DVC_"))]:
        monkeypatch.delenv(name)
