"""A stage on a worker when something fails or dies: nothing is made twice, and everybody is told why."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.flows.conftest import command
from tests.flows.test_run import REFUSE, in_folder, run, states
from tests.orchestration.team import make_team, slow_training, starts, wait_for, worker
from tests.projects import git
from tunegate.workspace import Workspace

pytestmark = pytest.mark.slow


def driver_of(workspace: Workspace, server: str) -> "subprocess.Popen[str]":
    return command(workspace.root, "run", "one", url=server)


def model(workspace: Workspace) -> str:
    return (workspace.stage("one", "train") / "model.txt").read_text()


def test_failures_keep_their_kind_and_their_sentence(tmp_path: Path, server: str) -> None:
    driver = make_team(tmp_path)
    work = driver.root / "train.sh"
    usual = work.read_text()
    with worker(tmp_path, server):
        for status in (3, 2):
            work.write_text(REFUSE % status)
            said = run(driver, url=server, status=status)
            assert "Too few rows." in said and "Add some." in said
        work.write_text("echo the end; exit 9")
        assert "the end" in run(driver, url=server, status=1)
        tries = tmp_path / "tries"
        once = f"echo x >> {tries}; if [ $(wc -l < {tries}) = 1 ]; then {REFUSE % 75}; fi; {usual}"
        work.write_text(once)
        assert states(driver, url=server)["train"] == "ran"  # what failed outside was tried again
        assert tries.read_text() == "x\nx\n"
    assert model(driver) == "train 1\n"


def test_a_result_that_is_known_needs_no_worker_and_force_needs_one(tmp_path: Path, server: str) -> None:
    driver = make_team(tmp_path)
    go = slow_training(driver, tmp_path)
    go.touch()
    before = driver.params.read_text()
    with worker(tmp_path, server):
        run(driver, url=server)
        driver.params.write_text(before.replace("models/m,", "models/m, train: {epochs: 9},"))
        assert states(driver, url=server)["train"] == "ran" and starts(tmp_path) == 2
        assert states(driver, "--force", "train", url=server)["train"] == "ran" and starts(tmp_path) == 3
    driver.params.write_text(before + "# as before\n")
    assert states(driver, url=server)["train"] == "restored" and starts(tmp_path) == 3


def test_a_killed_driver_leaves_work_that_the_next_run_follows_or_finds(tmp_path: Path, server: str) -> None:
    driver = make_team(tmp_path)
    go = slow_training(driver, tmp_path)
    with worker(tmp_path, server):
        first = driver_of(driver, server)
        wait_for(lambda: starts(tmp_path) == 1)
        first.kill()
        first.communicate()
        second = driver_of(driver, server)
        assert any("is followed from here" in line for line in second.stdout)
        second.kill()
        second.communicate()
        go.touch()
        wait_for(lambda: "refs/tunegate/answers/" in git(tmp_path / "shared.git", "for-each-ref"))
    assert "its answer is taken" in run(driver, url=server)  # with no worker left
    assert starts(tmp_path) == 1 and model(driver) == "train 1\n"


@pytest.mark.parametrize("whole", [False, True], ids=["the worker alone", "its whole machine"])
def test_a_killed_worker_is_told_and_another_one_takes_over(tmp_path: Path, server: str, whole: bool) -> None:
    driver = make_team(tmp_path)
    go = slow_training(driver, tmp_path)
    with worker(tmp_path, server, "first") as first:
        at_work = driver_of(driver, server)
        wait_for(lambda: starts(tmp_path) == 1)
        os.killpg(first.pid, signal.SIGKILL) if whole else first.kill()
        wait_for(lambda: not in_folder(tmp_path / "first"), 20)  # no orphan
    with worker(tmp_path, server, "second"):
        wait_for(lambda: starts(tmp_path) == 2)
        go.touch()
        out, err = at_work.communicate(timeout=120)
    assert at_work.returncode == 0 and model(driver) == "train 1\n", out + err
    assert ("it is lost" if whole else "lost the process of train@one") in out


def test_a_worker_that_never_comes_is_waited_for_so_long_and_no_longer(tmp_path: Path, server: str) -> None:
    driver = make_team(tmp_path)
    driver.params.write_text(driver.params.read_text().replace("wait: 120", "wait: 2, retries: 0"))
    with worker(tmp_path, server):
        pass  # so that the pool is known
    said = run(driver, url=server, status=75)
    assert "took train@one within 2 seconds" in said


def test_an_interrupted_driver_ends_the_stage_on_its_worker(tmp_path: Path, server: str) -> None:
    driver = make_team(tmp_path)
    slow_training(driver, tmp_path)
    with worker(tmp_path, server):
        at_work = driver_of(driver, server)
        wait_for(lambda: starts(tmp_path) == 1)
        trees = tmp_path / "worker/.tunegate/worktrees"
        assert in_folder(trees)
        at_work.send_signal(signal.SIGINT)
        wait_for(lambda: not in_folder(trees), 10)
        at_work.communicate(timeout=60)
    assert at_work.returncode == 130


def test_what_is_not_shared_is_said_before_anything_is_asked(tmp_path: Path, server: str) -> None:
    driver = make_team(tmp_path)
    git(driver.root, "config", "--unset", "tunegate.remote")
    assert "shares no git remote" in run(driver, url=server, status=2)
    git(driver.root, "config", "tunegate.remote", "origin")
    assert "no worker was ever started" in run(driver, url=server, status=75)
    (driver.root / ".dvc/config").write_text("[core]\n    analytics = false\n[cache]\n    type = copy\n")
    assert "a folder of this clone alone" in run(driver, url=server, status=2)
