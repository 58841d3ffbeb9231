"""One step in a process of its own."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.projects import SECOND, dvc, write_inputs
from tunegate.dvc.project import Hints, Project, Step
from tunegate.dvc.running import CrashedError, Listener, run_step
from tunegate.errors import OutsideError, RefusedError

FIRST, LAST = Step("first", "one"), Step("second", "one")


@pytest.fixture
def ready(workspace):
    """The first stage is done, the second is next."""
    dvc(workspace.root, "repro", "-q", "first@one")
    return workspace


def script(workspace, text):
    (workspace.root / "second.sh").write_text(text)


def run(workspace, step=LAST, **options):
    lines, events = [], []
    state = run_step(workspace, step, Listener(lines.append, events.append), **options)
    return state, lines, events


def alive(marker):
    return [process for process in psutil.process_iter(["cmdline"]) if marker in (process.info["cmdline"] or [])]


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_step_runs_and_its_lines_are_heard(ready):
    state, lines, _ = run(ready)
    assert state == "ran"
    assert lines == ["working"]
    assert (ready.stage("one", "second") / "out.txt").read_text() == "A ROW OF ONE\n"


def test_an_up_to_date_step_is_unchanged_and_force_runs_it_anyway(ready):
    run(ready)
    assert run(ready)[0] == "unchanged"
    assert run(ready, force=True)[0] == "ran"


def test_a_setting_called_size_is_no_fact_of_a_file(ready):
    """DVC's own run cache leaves it out of its keys, and restored what another size had made."""
    assert run(ready)[0] == "ran"
    write_inputs(ready, "one", second={"size": 2})
    assert run(ready)[0] == "ran"
    write_inputs(ready, "one")
    assert run(ready)[0] == "restored"


def test_a_result_seen_before_is_restored_with_its_reports(workspace):
    rows = workspace.raw("one") / "rows.csv"
    old = rows.read_text()
    assert run(workspace, FIRST)[0] == "ran"
    rows.write_text("b\n")
    assert run(workspace, FIRST)[0] == "ran"
    rows.write_text(old)
    workspace.report("one", "first", ".md").write_text("of another run\n")
    assert run(workspace, FIRST)[0] == "restored"
    assert (workspace.stage("one", "first") / "rows.csv").read_text() == old
    assert workspace.report("one", "first", ".md").read_text() == "first\n"


def test_after_a_step_ran_nothing_is_stale(ready):
    run(ready)
    project = Project(ready)
    assert [project.reasons(step) for step in project.steps(["one"])] == [[], []]


def test_progress_lines_are_taken_out_of_the_log(ready):
    script(ready, 'printf \'\\036{"what": "rows", "done": 1}\\n\'; echo said; ' + SECOND)
    _, lines, events = run(ready)
    assert lines == ["said", "working"]
    assert events == [{"what": "rows", "done": 1}]


def test_a_stages_typed_failure_arrives_typed(ready):
    script(ready, """echo '{"status": 3, "problem": "Too bad.", "remedy": "Mend it."}' > $TUNEGATE_FAILURE; exit 3""")
    with pytest.raises(RefusedError) as caught:
        run(ready)
    assert (caught.value.problem, caught.value.remedy) == ("Too bad.", "Mend it.")


def test_a_crash_keeps_the_last_lines(ready):
    script(ready, "echo before the end; exit 7")
    with pytest.raises(CrashedError, match="before the end"):
        run(ready)


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])  # one waits for its last command, the other becomes it
def test_a_stage_killed_from_outside_is_answered_with_what_to_do(ready, monkeypatch, shell):
    monkeypatch.setenv("SHELL", shell)
    script(ready, "kill -9 $$")
    with pytest.raises(CrashedError, match="killed from outside") as caught:
        run(ready)
    assert "checkpoint" in caught.value.remedy


def test_a_step_over_its_timeout_is_stopped_with_everything_it_started(ready):
    script(ready, "sleep 4711 & sleep 4711")
    with pytest.raises(OutsideError, match="its timeout"):
        run_step(ready, Step("second", "one", (), Hints(timeout_seconds=2)), Listener(print))
    assert not alive("4711")


def test_an_interruption_ends_the_whole_process_group(ready):
    script(ready, "echo started; sleep 4712 & sleep 4712")

    def interrupt(line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_step(ready, LAST, Listener(interrupt))
    assert not alive("4712")


def test_a_killed_driver_leaves_no_orphan_and_the_next_run_goes_on(ready):
    script(ready, "sleep 4713 & sleep 4713")
    code = (
        "from tests.dvc.test_running import *; from tunegate.workspace import Workspace;"
        f"run_step(Workspace(__import__('pathlib').Path({str(ready.root)!r})), LAST, Listener(print))"
    )
    path = [str(p) for p in (ready.root, *sys.path) if p]
    driver = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ready.root, env={**os.environ, "PYTHONPATH": ":".join(path)}
    )
    wait_until(lambda: alive("4713"))
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    wait_until(lambda: not alive("4713"))
    script(ready, SECOND)
    assert run(ready)[0] == "ran"
