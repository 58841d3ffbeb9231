"""One finished run for the whole session; tests that change something work on a copy."""

import os
from pathlib import Path

import pytest

from tests.e2e.project import Project, make_project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The pipeline `demo`, run once to a PASS. Not to be changed."""
    project = make_project(tmp_path_factory.mktemp("finished") / "project")
    project.json("run", "demo")
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path, server: str) -> Project:
    """A copy of the finished project, to change; its runs share one server."""
    return finished.copy(tmp_path / "project", server)


@pytest.fixture(autouse=True)
def _nothing_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """State stays in the project: no variable of the person who runs the tests leads elsewhere."""
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "BENTOML_", "TUNEGATE_", "DVC_"))]:
        monkeypatch.delenv(name)
