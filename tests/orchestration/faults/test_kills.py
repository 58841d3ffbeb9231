"""Processes of a run by hand are killed, stopped, or met by a second run."""

import os
import shutil
import signal
import stat
import time
from pathlib import Path

import pytest

from tests.flows.conftest import command
from tests.orchestration.faults.project import (
    WAIT_SECONDS,
    as_if_nothing_had_been,
    environment,
    kill,
    nobody_is_left,
    outs,
    process_of,
    release,
    run,
    started,
)
from tests.projects import git
from tunegate.versions.runs import read_runs
from tunegate.workspace import Workspace

pytestmark = pytest.mark.slow
ROWS = "data/raw/one/rows.csv"
BEFORE = ("ingest", "validate")


@pytest.mark.parametrize("victim", ["train.sh", "tunegate.dvc.child"])
def test_a_killed_stage_or_its_child_costs_that_stage_alone(
    ready: Workspace, server: str, undisturbed: dict[str, str], victim: str
) -> None:
    going = started(ready, server)
    kill(process_of(ready, victim))
    _, err = going.communicate(timeout=WAIT_SECONDS)
    assert going.returncode == 1 and "Traceback" not in err, err
    (record,) = read_runs(ready)
    assert record.ended.status == "failed"
    as_if_nothing_had_been(ready, server, undisturbed, kept=BEFORE, said="the last run, one-.*, failed in train")


def test_a_killed_driver_costs_its_stage_alone(ready: Workspace, server: str, undisturbed: dict[str, str]) -> None:
    going = started(ready, server)
    kill(process_of(ready, "tunegate.cli"))
    going.communicate(timeout=WAIT_SECONDS)
    assert going.returncode == -signal.SIGKILL
    nobody_is_left(ready)
    as_if_nothing_had_been(ready, server, undisturbed, kept=BEFORE, said=rf"\(process {going.pid}, .* was cut short")


def test_a_killed_server_of_its_own_costs_no_finished_stage(
    ready: Workspace, server: str, undisturbed: dict[str, str]
) -> None:
    going = started(ready, None)
    kill(process_of(ready, "flows.server"))
    release(ready)
    out, err = going.communicate(timeout=WAIT_SECONDS)  # Prefect's own client says much on standard error by now
    assert going.returncode in (0, 75) and "server went away" in out + err, (out, err)
    done = BEFORE if going.returncode else (*BEFORE, "train", "gate")
    words = "the last run|was cut short" if going.returncode else ""
    as_if_nothing_had_been(ready, server, undisturbed, kept=done, said=words)


KILLER = """#!/bin/sh
case "$1 $2" in "update-ref refs/exps/"*) : > in-record; kill -9 $PPID; exit 1;; esac
exec {git} "$@"
"""


def test_a_run_killed_in_the_middle_of_its_record_comes_on_record(
    ready: Workspace, server: str, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    """All stages are done, and nothing would be left to do: the record would be lost for ever."""
    found = shutil.which("git")
    fake = tmp_path / "bin/git"
    fake.parent.mkdir()
    fake.write_text(KILLER.format(git=found))
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    release(ready)
    with environment(PATH=f"{fake.parent}:{os.environ['PATH']}"):
        going = command(ready.root, "run", "one", "--json", url=server)
    going.communicate(timeout=WAIT_SECONDS)
    assert going.returncode == -signal.SIGKILL and (ready.root / "in-record").exists()
    (ready.root / "in-record").unlink()
    assert read_runs(ready) == []
    stages = (*BEFORE, "train", "gate")
    as_if_nothing_had_been(ready, server, undisturbed, kept=stages, said="it is on record now")
    (record,) = read_runs(ready)
    assert record.ended.status == "passed" and "train 7" in git(ready.root, "show", f"{record.commit}:{ROWS}")


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_once_or_twice_stops_everything_and_loses_nothing(
    ready: Workspace, server: str, undisturbed: dict[str, str], times: int
) -> None:
    going = started(ready, server)
    for _ in range(times):
        os.killpg(going.pid, signal.SIGINT)
        time.sleep(0.3)
    _, err = going.communicate(timeout=WAIT_SECONDS)
    assert going.returncode == 130, (going.returncode, err)
    assert times == 2 or "Traceback" not in err, err
    nobody_is_left(ready)
    as_if_nothing_had_been(ready, server, undisturbed, kept=BEFORE, said="was interrupted|was cut short")


def test_two_runs_at_once_do_the_work_once(ready: Workspace, server: str, undisturbed: dict[str, str]) -> None:
    first = started(ready, server)
    second = command(ready.root, "run", "one", "--json", url=server)
    line = second.stderr.readline() if second.stderr else ""
    assert f"waiting for another run of one (process {first.pid}" in line
    release(ready)
    for each in (first, second):
        _, err = each.communicate(timeout=WAIT_SECONDS)
        assert each.returncode == 0, err
    assert (ready.root / "trained").read_text() == "run\n"
    assert outs(ready) == undisturbed
    status, states, _ = run(ready, "http://127.0.0.1:9/api")
    assert status == 0 and set(states.values()) == {"unchanged"}
