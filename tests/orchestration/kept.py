"""`tunegate up` in a small project: commands, and the server's API as another program would ask it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from flows.alive import Process, folder_of, last_kept
from flows.api import Server
from tests.flows.project import make_project
from tests.versions.history import commit, introduce
from tunegate.workspace import Workspace

ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
PATIENCE_SECONDS = 400  # on a machine that others use


@dataclass(frozen=True)
class Up:
    """A project and the port that its server has."""

    workspace: Workspace
    port: int

    @property
    def root(self) -> Path:
        return self.workspace.root

    @property
    def server(self) -> Server:
        return Server(f"http://127.0.0.1:{self.port}/api")

    def tunegate(self, *arguments: str, status: int = 0) -> str:
        """What it prints; its exit status must be `status`."""
        done = self.start(*arguments)
        out, err = done.communicate(timeout=400)
        assert done.returncode == status, out + err + self.logs()
        assert "Traceback" not in err, err
        return out + err

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "TUNEGATE_"))}
        return subprocess.Popen(
            [sys.executable, "-m", "tunegate.cli", *arguments],
            cwd=self.root,
            env={**kept, "TUNEGATE_PORT": str(self.port)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def json(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        return dict(json.loads(self.tunegate(*arguments, "--json", status=status)))

    def logs(self) -> str:
        """The end of each log, for a failed assertion."""
        files = sorted(folder_of(self.workspace).glob("*.log"))
        return "".join(f"\n--- {file.name}\n{file.read_text()[-3000:]}" for file in files)

    def process(self, name: str) -> Process:
        """The keeper, the server or the worker."""
        kept = last_kept(self.workspace)
        assert kept is not None
        return kept.process if name == "keeper" else kept.children[name]

    def begin(self, name: str = "one", **parameters: Any) -> str:
        """A run of the deployment, by its id."""
        deployment = self.server.get(f"deployments/name/run/{name}")
        made = self.server.post(f"deployments/{deployment['id']}/create_flow_run", parameters=parameters)
        return str(made["id"])

    def run(self, run: str) -> dict[str, Any]:
        return dict(self.server.get(f"flow_runs/{run}"))

    def runs(self) -> list[dict[str, Any]]:
        """The deployed runs that are not yet to come, the oldest first."""
        found = self.server.post("flow_runs/filter", sort="START_TIME_ASC")
        return [each for each in found if each["state_type"] != "SCHEDULED" and each["deployment_id"]]

    def ended(self, run: str) -> dict[str, Any]:
        """The run, waited for."""
        self.until(lambda: self.run(run)["state_type"] in ENDED, f"run {run} to end")
        return self.run(run)

    def until(self, true: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"waited for {what}{self.logs()}"
            time.sleep(0.1)

    def said(self, run: str) -> str:
        """The run's log."""
        found = self.server.post("logs/filter", logs={"flow_run_id": {"any_": [run]}}, sort="TIMESTAMP_ASC")
        return "\n".join(line["message"] for line in found)

    def processes(self) -> list[psutil.Process]:
        """All that work in the project's folders."""
        found = []
        for process in psutil.process_iter():
            try:
                if Path(process.cwd()).is_relative_to(self.root) and process.pid != os.getpid():
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    def engines(self) -> list[psutil.Process]:
        """The processes of deployed runs."""
        return [process for process in self.processes() if "flows.engine" in _command(process)]

    def training(self, log: Path, times: int = 1) -> psutil.Process:
        """The stage's process, once it has started so often; see the fixture `held`."""
        self.until(lambda: log.exists() and len(log.read_text().split()) >= times, f"training to start {times} x")
        return psutil.Process(int(log.read_text().split()[-1]))

    def nothing_lives(self) -> None:
        self.until(lambda: not self.processes(), "every process to end", 20)


def _command(process: psutil.Process) -> list[str]:
    """Empty of one that has just ended."""
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def make_up(root: Path, pipelines: tuple[str, ...] = ("one",)) -> Up:
    """A committed project; nothing is started."""
    workspace = make_project(root)
    for name in pipelines[1:]:
        _copy_pipeline(workspace, name)
    (workspace.root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    introduce(workspace.root, "Anna")
    commit(workspace.root, "Start")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return Up(workspace, port)


def _copy_pipeline(workspace: Workspace, name: str) -> None:
    """Another one with data of its own."""
    shutil.copytree(workspace.raw("one"), workspace.raw(name))
    with workspace.params.open("a") as file:
        file.write(f"  {name}: {{task: text_classification, data: {name}, model: models/m}}\n")
    script = workspace.root / "validate.sh"
    script.write_text(script.read_text().replace("data/one/ingest", "$(dirname $1)/ingest"))
