"""Cancelled from the page, the API or the command line: training ends within three seconds, and nothing is left."""

import signal
import time

import psutil
import pytest

from tests.projects import git
from tunegate.versions.runs import find_run

pytestmark = pytest.mark.slow

LIMIT_SECONDS = 3.0


def seconds_until_gone(processes):
    start = time.monotonic()
    psutil.wait_procs(processes, timeout=30)
    return time.monotonic() - start


def stage_of(trainer):
    """The trainer, with what it started."""
    return [trainer, *trainer.children(recursive=True)]


@pytest.mark.parametrize("worker_lives", [True, False])
def test_a_deployed_run_is_cancelled_by_the_api(up, held, worker_lives):
    """As the button of Prefect's page does it. Without its worker, the run notices by itself."""
    _, log = held
    before = git(up.root, "status", "--porcelain")
    run = up.begin("one", force=["train"])
    stage = stage_of(up.training(log))
    if not worker_lives:
        up.process("worker").send(signal.SIGKILL)
    up.server.post(f"flow_runs/{run}/set_state", state={"type": "CANCELLING"})
    assert seconds_until_gone(stage) < LIMIT_SECONDS
    ended = up.ended(run)
    assert ended["state_name"] == "Cancelled", ended["state"]
    up.until(lambda: not up.engines(), "the run's process to end", 20)
    assert not list((up.workspace.state / "worktrees").glob("run-*/"))
    assert git(up.root, "status", "--porcelain") == before
    kept = find_run(up.workspace, ended["name"])
    assert (kept.ended.status, kept.ended.problem) == ("interrupted", "The run was cancelled.")


def test_a_run_by_hand_is_cancelled_by_the_command(up, held):
    _, log = held
    by_hand = up.start("run", "two", "--force", "train")
    stage = stage_of(up.training(log))
    start = time.monotonic()
    assert "cancelled two-" in up.tunegate("cancel", "two")
    out, err = by_hand.communicate(timeout=30)
    assert by_hand.returncode == 130 and "The run was cancelled." in out + err
    assert not any(process.is_running() for process in stage)
    assert time.monotonic() - start < 20


def test_what_is_not_running_cannot_be_cancelled(up):
    assert "Nothing is running" in up.tunegate("cancel", "one", status=2)
