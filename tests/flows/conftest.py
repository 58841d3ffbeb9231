"""Commands run against a real Prefect server as a person would."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.project import make_project
from tunegate.workspace import Workspace


@pytest.fixture(scope="session")
def _finished(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has run once, to be copied."""
    root = tmp_path_factory.mktemp("finished") / "project"
    make_project(root)
    process = command(root, "run", "one", url=server)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, out + err
    return root


@pytest.fixture
def finished(_finished: Path, tmp_path: Path) -> Workspace:
    """A project that has run once."""
    shutil.copytree(_finished, tmp_path / "project", symlinks=True)
    return Workspace(tmp_path / "project")


def command(root: Path, *arguments: str, url: str | None) -> "subprocess.Popen[str]":
    """`tunegate` in the project, leader of its own session. `url` is Prefect's server, None for one of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "TUNEGATE_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "tunegate.cli", *arguments],
        cwd=root,
        env={**kept, **({"PREFECT_API_URL": url} if url else {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_hear_ctrl_c,
    )


def _hear_ctrl_c() -> None:
    """A shell starts what it puts into the background deaf to SIGINT, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
