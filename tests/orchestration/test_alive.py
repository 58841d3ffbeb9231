"""One keeper, and nothing outlives it: by the kernel's locks alone, without Prefect."""

import signal
import subprocess
import sys
import textwrap

import psutil
import pytest

from flows.alive import Kept, Process, become_keeper, keeper_lives, last_kept, read_kept, write_kept
from tests.flows.project import make_project

KEEPER = """
import os, subprocess, sys, time
from pathlib import Path
from flows.alive import ALIVE, become_keeper
from tunegate.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]))
locks = become_keeper(workspace)
assert locks is not None
child = "import time, flows.alive as a; a.end_with_keeper(); print('up', flush=True); time.sleep(99)"
environment = {**os.environ, ALIVE: locks[1].name}
process = subprocess.Popen([sys.executable, "-c", child], env=environment, start_new_session=True, stdout=-1)
process.stdout.readline()
print(process.pid, flush=True)
time.sleep(99)
"""


@pytest.fixture
def workspace(tmp_path):
    return make_project(tmp_path / "project")


@pytest.fixture
def keeper(workspace):
    """A keeper in a process of its own with one child, whose number it has said."""
    command = [sys.executable, "-c", textwrap.dedent(KEEPER), str(workspace.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process, psutil.Process(int(process.stdout.readline()))
        process.kill()


def test_there_is_one_keeper_and_its_children_end_with_it_however_it_ends(workspace, keeper):
    process, child = keeper
    assert keeper_lives(workspace) and become_keeper(workspace) is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not keeper_lives(workspace)
    locks = become_keeper(workspace)  # waits for the child to be gone
    assert locks is not None
    assert not psutil.pid_exists(child.pid) or child.status() == psutil.STATUS_ZOMBIE
    for lock in locks:
        lock.close()


def test_what_a_dead_keeper_wrote_is_not_taken_for_a_living_one(workspace):
    kept = Kept(
        Process(1, 0.0), "http://127.0.0.1:1/api", "2026-01-01T00:00:00+00:00", 2, children={"server": Process(2, 0.0)}
    )
    write_kept(workspace, kept)
    assert read_kept(workspace) is None and last_kept(workspace) == kept


def test_a_keeper_that_has_said_nothing_yet_is_not_taken_for_the_one_before(workspace, keeper):
    write_kept(workspace, Kept(Process(1, 0.0), "http://127.0.0.1:1/api", "2026-01-01T00:00:00+00:00", 2, "ready"))
    assert keeper_lives(workspace) and read_kept(workspace) is None


def test_a_number_that_went_to_another_process_gets_no_signal(workspace):
    with subprocess.Popen(["sleep", "99"]) as other:
        right = Process.of(other.pid)
        assert not Process(other.pid, right.created - 1).send(signal.SIGKILL) and other.poll() is None
        assert right.send(signal.SIGKILL) and other.wait() == -signal.SIGKILL
        assert not right.lives()
