"""Thirty runs of a tiny pipeline, a fault in each, at any stage: all hashes right, no work done twice, nothing left.

`TUNEGATE_SOAK_RUNS` and `TUNEGATE_SOAK_SEED` change how many there are and which.
"""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flows.conftest import command
from tests.flows.project import TRAIN, VALIDATE, make_project
from tests.orchestration.faults.project import (
    STAGES,
    WAIT_SECONDS,
    kill,
    nobody_is_left,
    nothing_is_half_written,
    outs,
    process_of,
    run,
    until,
)
from tests.projects import git
from tests.versions.history import commit, introduce
from tunegate.workspace import Workspace, folder_hash

pytestmark = pytest.mark.slow
RUNS = int(os.environ.get("TUNEGATE_SOAK_RUNS", "30"))
SEED = int(os.environ.get("TUNEGATE_SOAK_SEED", "7"))
HOLD = """\
echo $1 >> ran
if [ "$(cat hold 2> /dev/null)" = $1 ]; then touch in-stage; while [ -e hold ]; do sleep 0.05; done; fi
"""

Run = "subprocess.Popen[str]"


def killed_stage(workspace: Workspace, going: Run) -> None:
    kill(process_of(workspace, "hold.sh"))


def killed_child(workspace: Workspace, going: Run) -> None:
    kill(process_of(workspace, "tunegate.dvc.child"))


def killed_driver(workspace: Workspace, going: Run) -> None:
    going.send_signal(signal.SIGKILL)


def ended_driver(workspace: Workspace, going: Run) -> None:
    going.send_signal(signal.SIGTERM)


def ctrl_c(workspace: Workspace, going: Run) -> None:
    os.killpg(going.pid, signal.SIGINT)


def ctrl_c_twice(workspace: Workspace, going: Run) -> None:
    ctrl_c(workspace, going)
    time.sleep(0.2)
    if going.poll() is None:
        ctrl_c(workspace, going)


def half_a_lock(workspace: Workspace, going: Run) -> None:
    _killed_amid(workspace, going, workspace.root / "dvc.lock", b"\n  - {")


def half_the_inputs(workspace: Workspace, going: Run) -> None:
    _killed_amid(workspace, going, workspace.inputs("one"), b"")


def _killed_amid(workspace: Workspace, going: Run, path: Path, end: bytes) -> None:
    """Power goes: the run is dead, and half of a file is on the disk."""
    going.send_signal(signal.SIGKILL)
    going.wait()
    nobody_is_left(workspace)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + end)


def a_second_run(workspace: Workspace, going: Run) -> None:
    second = command(workspace.root, "run", "one", "--json", url="http://127.0.0.1:9/api")  # it will find nothing to do
    assert second.stderr is not None and "waiting for another run of one" in second.stderr.readline()
    (workspace.root / "hold").unlink()
    going.wait(timeout=WAIT_SECONDS)
    second.communicate(timeout=WAIT_SECONDS)
    assert (going.returncode, second.returncode) == (0, 0)


FAULTS: list[Callable[[Workspace, Run], None]] = [
    killed_stage, killed_child, killed_driver, ended_driver, ctrl_c, ctrl_c_twice, half_a_lock, half_the_inputs,
    a_second_run,
]  # fmt: skip


@pytest.fixture
def tiny(tmp_path: Path, server: str) -> Workspace:
    """Every stage can be held in its middle, and writes down that it ran."""
    workspace = make_project(tmp_path / "tiny")
    (workspace.root / "hold.sh").write_text(HOLD)
    pipeline = (workspace.root / "dvc.yaml").read_text()
    for stage in STAGES:
        pipeline = pipeline.replace(f"  {stage}:\n    foreach: ${{pipelines}}\n    do:\n      cmd: ",
                                    f"  {stage}:\n    foreach: ${{pipelines}}\n    do:\n      cmd: sh hold.sh {stage} && ")  # fmt: skip  # noqa: E501
    assert pipeline.count("hold.sh") == len(STAGES)
    (workspace.root / "dvc.yaml").write_text(pipeline)
    (workspace.root / ".gitignore").write_text(".tunegate/\nran\nhold\nin-stage\n")
    introduce(workspace.root, "Anna")
    commit(workspace.root, "Start")
    status, _, log = run(workspace, server)
    assert status == 0, log
    return workspace


def expected(workspace: Workspace, folder: Path) -> dict[str, str]:
    """What the stages make of the rows, made without DVC, Prefect or us."""
    rows = workspace.raw("one") / "rows.csv"
    for stage in STAGES:
        (folder / "data/one" / stage).mkdir(parents=True)
    script = (
        f"cp {rows} data/one/ingest/rows.csv; set -- data/one/validate; {VALIDATE}"
        f"set -- data/one/validate/train.csv data/one/train; {TRAIN}echo decided > data/one/gate/verdict.json"
    )
    subprocess.run(["sh", "-c", script], cwd=folder, check=True, capture_output=True)
    return {f"data/one/{stage}": folder_hash(folder / "data/one" / stage) for stage in STAGES}


def test_thirty_runs_with_a_fault_in_each_end_with_all_hashes_right(
    tiny: Workspace, server: str, tmp_path: Path
) -> None:
    chance, log = random.Random(SEED), []
    faults, stages = (_dealt(chance, things, RUNS) for things in (FAULTS, STAGES))
    rows = tiny.raw("one") / "rows.csv"
    for number, (fault, stage) in enumerate(zip(faults, stages, strict=True)):
        rows.write_text(rows.read_text() + f"train {100 + number}\n")
        for name in ("ran", "in-stage"):
            (tiny.root / name).unlink(missing_ok=True)
        (tiny.root / "hold").write_text(stage)
        going = command(tiny.root, "run", "one", "--json", url=server)
        until(lambda run=going: (tiny.root / "in-stage").exists() or run.poll() is not None)
        assert going.poll() is None, (number, going.communicate())
        log.append((fault.__name__, stage, "alive"))
        fault(tiny, going)
        going.communicate(timeout=WAIT_SECONDS)
        nobody_is_left(tiny)
        (tiny.root / "hold").unlink(missing_ok=True)
        status, _, said = run(tiny, server)
        assert status == 0, (log[-1], said)
        found = outs(tiny)
        right = expected(tiny, tmp_path / f"twin-{number}")
        assert {path: found[path] for path in right} == right and found["verdict"] == "PASS", log[-1]
        ran = Counter((tiny.root / "ran").read_text().split())
        before = STAGES[: STAGES.index(stage)]
        assert {name: ran[name] for name in before} == dict.fromkeys(before, 1), (log[-1], ran)
        nobody_is_left(tiny)
        nothing_is_half_written(tiny)
    assert len(FAULTS) > RUNS or {name for name, *_ in log} == {fault.__name__ for fault in FAULTS}
    assert len(STAGES) > RUNS or {stage for _, stage, _ in log} == set(STAGES)
    assert len(git(tiny.root, "worktree", "list").splitlines()) == 1
    assert not list((tiny.state / "begun").iterdir())


def _dealt(chance: random.Random, things: "list[object] | tuple[object, ...]", number: int) -> list:
    """By chance, and each as often as any other."""
    dealt: list = []
    while len(dealt) < number:
        dealt += chance.sample(list(things), len(things))
    return dealt[:number]
