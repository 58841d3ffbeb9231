"""Two processes that train one model: the same batches, the same result, one end."""

import json
import multiprocessing
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.training.learning import COMPUTE, learning, settings, weights
from tests.training.together import write
from tunegate.training.compute import choose_compute
from tunegate.training.team import Team
from tunegate.training.together import meeting

ROOT = Path(__file__).parents[2]


def train(folder: Path, size: int, when: str = "", **changes: Any) -> "subprocess.CompletedProcess[str]":
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.training.together", str(folder), str(size), json.dumps(changes), when]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def ended(folder: Path, size: int, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Weights, and losses, scores and log."""
    done = train(folder, size, **changes)
    assert done.returncode == 0, done.stderr
    return left(folder)


def left(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    from safetensors.torch import load_file

    return load_file(folder / "end.safetensors"), json.loads((folder / "end.json").read_text())


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Bit by bit."""
    return one.keys() == other.keys() and all(one[name].equal(other[name]) for name in one)


CHANGES = {"dropout": 0.0, "batch_size": 7, "learning_rate": 1e-3}  # 7 rows are no equal shares, and the last are 6


def member(folder: Path, team: Team) -> None:
    """A process that was forked from the test's: nothing need be imported again."""
    with meeting(folder / "meeting", team, "cpu") as joint:
        work = learning(folder, compute=replace(COMPUTE, team=joint), **CHANGES)
        run = work.fit()
        if joint.leads:
            write(folder, work, run)


def test_two_processes_train_as_one_does(tmp_path: Path) -> None:
    alone = learning(tmp_path, **CHANGES)
    run = alone.fit()
    (tmp_path / "checkpoints").rename(tmp_path / "others")
    forking = multiprocessing.get_context("fork")
    members = [forking.Process(target=member, args=(tmp_path, Team(number, 2))) for number in range(2)]
    for each in members:
        each.start()
    for each in members:
        each.join(120)
    assert [each.exitcode for each in members] == [0, 0]
    two, said = left(tmp_path)
    assert said["losses"] == pytest.approx(run.losses.tolist(), rel=1e-3)
    assert said["scores"] == pytest.approx([score.validation_loss for score in run.scores], rel=1e-3)
    assert max(float((value - two[name]).abs().max()) for name, value in weights(alone.model).items()) < 1e-3


@pytest.mark.slow
def test_a_killed_training_of_two_leaves_no_orphan_and_ends_with_the_same_bits(tmp_path: Path) -> None:
    two, _ = ended(tmp_path / "two", 2)
    assert train(tmp_path / "killed", 2, "step:10").returncode == -9
    wait_until_gone(tmp_path / "killed")
    again, resumed = ended(tmp_path / "killed", 2)
    assert "resuming at step 8" in resumed["log"] and same(again, two)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},  # with dropout
        {"batch_size": 1, "epochs": 1},  # fewer rows than processes
        {"micro_batch": 2, "r_drop": 1.0, "label_smoothing": 0.1},
        {"adversarial": "freelb"},
    ],
    ids=str,
)
def test_the_same_number_of_processes_gives_the_same_bits(changes: dict[str, Any], tmp_path: Path) -> None:
    first, said = ended(tmp_path / "first", 2, **changes)
    second, _ = ended(tmp_path / "second", 2, **changes)
    assert same(first, second)
    assert said["scores"][-1] < 1.0


@pytest.mark.slow
def test_a_helper_that_dies_ends_the_training_with_a_sentence(tmp_path: Path) -> None:
    done = train(tmp_path, 2, "helper:10")
    assert done.returncode == 1 and "A process that trained with this one ended with -9" in done.stderr
    wait_until_gone(tmp_path)


def test_cores_are_shared_out_between_processes() -> None:
    alone = choose_compute(settings(threads=None))
    assert choose_compute(settings(threads=None, processes=alone.threads)).threads == 1


def wait_until_gone(folder: Path) -> None:
    """No process that was started for the folder is left."""
    deadline = time.monotonic() + 20
    while any(str(folder) in (process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])):
        assert time.monotonic() < deadline
        time.sleep(0.1)
