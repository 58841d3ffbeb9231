"""A real Prefect server for the whole room, and commands run against it as a person would."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.flows.project import make_project
from tunegate.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API's address."""
    home = tmp_path_factory.mktemp("prefect")
    environment = {**os.environ, "PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    command = [sys.executable, "-m", "flows.server"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as process:  # type: ignore[call-overload]
        url = process.stdout.readline().strip()
        deadline = time.monotonic() + 180
        while not _answers(url):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        yield url
        process.stdin.close()


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/health", timeout=5):
            return True
    except OSError:
        return False


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
