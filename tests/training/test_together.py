"""Two processes that train one model: the same batches, the same result, one end."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.training.learning import settings
from tunegate.training.compute import choose_compute

ROOT = Path(__file__).parents[2]


def train(folder: Path, size: int, when: str = "", **changes: Any) -> "subprocess.CompletedProcess[str]":
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.training.together", str(folder), str(size), json.dumps(changes), when]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def ended(folder: Path, size: int, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Weights, and losses, scores and log."""
    from safetensors.torch import load_file

    done = train(folder, size, **changes)
    assert done.returncode == 0, done.stderr
    return load_file(folder / "end.safetensors"), json.loads((folder / "end.json").read_text())


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Bit by bit."""
    return one.keys() == other.keys() and all(one[name].equal(other[name]) for name in one)


def test_two_processes_train_as_one_does_and_twice_alike_also_after_a_kill(tmp_path: Path) -> None:
    changes = {"dropout": 0.0, "batch_size": 7, "learning_rate": 1e-3}  # 7 rows are no equal shares; the last are 6
    alone, said_alone = ended(tmp_path / "alone", 1, **changes)
    two, said = ended(tmp_path / "two", 2, **changes)
    assert said["losses"] == pytest.approx(said_alone["losses"], rel=1e-3)
    assert said["scores"] == pytest.approx(said_alone["scores"], rel=1e-3)
    assert max(float((alone[name] - two[name]).abs().max()) for name in alone) < 1e-3

    killed = train(tmp_path / "killed", 2, "step:12", **changes)
    assert killed.returncode == -9
    wait_until_gone(tmp_path / "killed")
    again, resumed = ended(tmp_path / "killed", 2, **changes)
    assert "resuming at step" in resumed["log"] and same(again, two)


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
    while any(str(folder) in process.info["cmdline"] for process in psutil.process_iter(["cmdline"])):
        assert time.monotonic() < deadline
        time.sleep(0.1)
