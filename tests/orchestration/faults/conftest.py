"""The project that has run once, ready to be changed, and what an undisturbed run makes of the change."""

import shutil
from pathlib import Path

import pytest

from tests.flows.conftest import _finished, finished  # noqa: F401 - fixtures
from tests.orchestration.faults.project import changed, outs, release, run
from tests.versions.history import commit, introduce
from tunegate.workspace import Workspace


@pytest.fixture
def ready(finished: Workspace) -> Workspace:  # noqa: F811
    """Committed, and changed so that all four stages have to run."""
    introduce(finished.root, "Anna")
    commit(finished.root, "Start")
    return changed(finished)


@pytest.fixture(scope="session")
def undisturbed(_finished: Path, server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:  # noqa: F811
    """Hashes and verdict of the changed project where nothing happens."""
    root = tmp_path_factory.mktemp("undisturbed") / "project"
    shutil.copytree(_finished, root, symlinks=True)
    introduce(root, "Anna")
    commit(root, "Start")
    workspace = changed(Workspace(root))
    release(workspace)
    status, states, log = run(workspace, server)
    assert status == 0 and set(states.values()) == {"ran"}, log
    return outs(workspace)
