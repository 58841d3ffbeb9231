"""The shell project of `tests/flows`, changed so that every stage runs again, and what must hold after a fault."""

import hashlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
from ruamel.yaml import YAML

from tests.flows.conftest import command
from tests.flows.project import TRAIN
from tunegate.workspace import Workspace

WAIT_SECONDS = 400  # a busy machine is no failure
STAGES = ("ingest", "validate", "train", "gate")
HOLD = "echo run >> trained; echo training; touch in-train; while [ -e hold ]; do sleep 0.05; done; "
"""The training's beginning: it waits in the middle for as long as there is a file `hold`."""


def changed(workspace: Workspace, rows: str = "train 7\n") -> Workspace:
    """Other rows: all four stages have to run, and training waits until `release`."""
    raw = workspace.raw("one") / "rows.csv"
    raw.write_text(raw.read_text() + rows)
    (workspace.root / "train.sh").write_text(HOLD + TRAIN)
    (workspace.root / ".gitignore").write_text(".tunegate/\ntrained\nin-train\nhold\nfiller\n")
    (workspace.root / "hold").touch()
    return workspace


def release(workspace: Workspace) -> None:
    (workspace.root / "hold").unlink(missing_ok=True)


def started(workspace: Workspace, url: str | None, **variables: str) -> "subprocess.Popen[str]":
    """A run that has come to the middle of its training."""
    (workspace.root / "in-train").unlink(missing_ok=True)
    with environment(**variables):
        process = command(workspace.root, "run", "one", "--json", url=url)
    until(lambda: (workspace.root / "in-train").exists() or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    return process


class environment:
    """Variables for the processes that are started within."""

    def __init__(self, **variables: str) -> None:
        self._variables, self._before = variables, dict(os.environ)

    def __enter__(self) -> None:
        os.environ.update(self._variables)

    def __exit__(self, *_: object) -> None:
        for name in self._variables:
            os.environ.pop(name, None)
        os.environ.update({name: self._before[name] for name in self._variables if name in self._before})


def run(workspace: Workspace, url: str | None, *arguments: str) -> tuple[int, dict[str, str], str]:
    """Exit status, stages' states, and everything that was said."""
    process = command(workspace.root, "run", "one", "--json", *arguments, url=url)
    out, err = process.communicate(timeout=WAIT_SECONDS)
    assert "Traceback" not in err, err
    answer = json.loads(out) if out.strip() else {"stages": []}
    return process.returncode, {stage["name"]: stage["state"] for stage in answer["stages"]}, err + out


def outs(workspace: Workspace) -> dict[str, str]:
    """Path to hash of everything that the stages made, as dvc.lock has it; and the verdict."""
    lock = YAML(typ="safe").load((workspace.root / "dvc.lock").read_text())
    found = {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage["outs"]}
    return {**found, "verdict": json.loads(workspace.report("one", "gate").read_text())["verdict"]}


def as_if_nothing_had_been(
    workspace: Workspace, url: str | None, undisturbed: dict[str, str], *, kept: Sequence[str] = (), said: str
) -> None:
    """The next run: same hashes, `kept` stages not redone, a sentence, no orphan, nothing half-written."""
    release(workspace)
    nobody_is_left(workspace)
    status, states, log = run(workspace, url)
    assert status == 0, log
    assert {stage: states[stage] for stage in kept} == dict.fromkeys(kept, "unchanged"), states
    assert re.search(said, log), log
    assert outs(workspace) == undisturbed
    nobody_is_left(workspace)
    nothing_is_half_written(workspace)


def nobody_is_left(workspace: Workspace) -> None:
    until(lambda: not processes_in(workspace.root))


def nothing_is_half_written(workspace: Workspace) -> None:
    """Every object of DVC's is what its name says, every small file whole, and no temporary name is left."""
    for path in (workspace.root / ".dvc/cache/files/md5").glob("*/*"):
        content = path.read_bytes()
        assert hashlib.md5(content).hexdigest() == (path.parent.name + path.name).removesuffix(".dir"), path
    for path in [*workspace.root.glob("reports/*/*.json"), *workspace.root.glob("data/*/inputs.json")]:
        json.loads(path.read_text())
    left = [*workspace.root.glob("data/*/.*.unfinished"), *workspace.root.glob("reports/*/.*")]
    assert not left, left


def processes_in(root: Path) -> list[psutil.Process]:
    """Those whose working folder lies in the project."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(root) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def process_of(workspace: Workspace, word: str) -> psutil.Process:
    """The one whose command has that word in it."""

    def said(process: psutil.Process) -> list[str]:
        try:
            return process.cmdline()
        except psutil.Error:
            return []

    found = [each for each in processes_in(workspace.root) if any(word == part for part in said(each))]
    assert found, [said(each) for each in processes_in(workspace.root)]
    return found[-1]


def kill(process: psutil.Process) -> None:
    """With SIGKILL, and seen to be gone."""
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


def until(condition: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def mounted(*arguments: str, where: Path) -> Iterator[Path]:
    """A mount while the generator lives; skips by name where it is not allowed."""
    import pytest

    done = subprocess.run(["mount", *arguments, str(where)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mount is not allowed on this machine: {done.stderr.strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", "--lazy", str(where)], check=True)
