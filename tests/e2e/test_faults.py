"""Kill it, start it twice: the end is the same."""

import hashlib
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.project import Project, make_project

WAIT_SECONDS = 240


@pytest.fixture
def slow_training(finished: Project, tmp_path: Path) -> Iterator[Project]:
    """A copy whose next run trains long enough to be met in the middle."""
    project = finished.copy(tmp_path / "project")
    project.edit("params.yaml", "epochs: 8", "epochs: 24")
    yield project
    for process in _processes_in(project.root):
        process.kill()


def test_a_run_killed_in_training_resumes_to_the_same_weights(slow_training: Project) -> None:
    """Trained again from the start without a disturbance, it is the same model: nothing after it is stale."""
    run = slow_training.start("run", "demo", "--json")
    trainer = _wait_for_checkpoint(slow_training)
    os.kill(trainer.pid, signal.SIGKILL)
    run.communicate(timeout=WAIT_SECONDS)
    _no_process_is_left(slow_training.root)
    again = slow_training.run("run", "demo", status=None)
    log = again.stdout + again.stderr
    step = re.search(r"resum\w* .*?step (\d+)", log)
    assert step and int(step.group(1)) > 0, log[-3000:]
    resumed = _weights(slow_training)
    undisturbed = slow_training.json("run", "demo", "--force", "train", status=None)
    states = {stage["name"]: stage["state"] for stage in undisturbed["stages"]}
    assert (states["train"], states["export"], states["evaluate"]) == ("ran", "unchanged", "unchanged"), states
    assert _weights(slow_training) == resumed


@pytest.mark.slow
def test_a_killed_run_leaves_no_orphan_and_the_next_one_finishes(slow_training: Project) -> None:
    run = slow_training.start("run", "demo")
    _wait_for_checkpoint(slow_training)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=60)
    _no_process_is_left(slow_training.root)
    assert slow_training.json("run", "demo", status=None)["verdict"] == "PASS"


def test_ctrl_c_stops_everything_with_status_130(slow_training: Project) -> None:
    run = slow_training.start("run", "demo")
    _wait_for_checkpoint(slow_training)
    os.killpg(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, out[-2000:] + err[-2000:]
    assert "Traceback" not in err
    _no_process_is_left(slow_training.root)


def test_two_runs_at_once_wait_for_each_other(project: Project) -> None:
    project.edit("params.yaml", "floor: 0.8", "floor: 0.79")
    first, second = project.start("run", "demo"), project.start("run", "demo")
    said = [process.communicate(timeout=WAIT_SECONDS) for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0], said
    assert sum("wait" in (out + err).lower() for out, err in said) == 1, said


def test_a_project_without_git_is_told_so(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=60)
    (project.root / ".git").rename(tmp_path / "git-elsewhere")
    result = project.run("run", "demo", status=2)
    assert "git" in result.stderr and "Traceback" not in result.stderr


def _wait_for_checkpoint(project: Project) -> psutil.Process:
    """The training process, once its first checkpoint is complete."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        trainers = [process for process in _processes_in(project.root) if _is_stage(process, "train")]
        if trainers and list((project.root / ".tunegate" / "checkpoints").rglob("step-*/manifest.json")):
            return trainers[-1]
        time.sleep(0.05)
    raise AssertionError("no checkpoint was written")


def _is_stage(process: psutil.Process, stage: str) -> bool:
    try:
        command = process.cmdline()
    except psutil.Error:
        return False
    return "stage" in command and stage in command and "python" in Path(command[0]).name


def _processes_in(root: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(root) and process.pid != os.getpid():
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def _no_process_is_left(root: Path) -> None:
    deadline = time.monotonic() + 20
    while left := [process for process in _processes_in(root) if process.is_running()]:
        assert time.monotonic() < deadline, [process.cmdline() for process in left]
        time.sleep(0.1)


def _weights(project: Project) -> str:
    return hashlib.sha256((project.root / "data/demo/train/model/model.safetensors").read_bytes()).hexdigest()
