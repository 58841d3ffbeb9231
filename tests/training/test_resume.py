"""Killed with SIGKILL, damaged, moved: a training that is taken up again ends with the same bits."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.training.learning import Learning, learning, same_weights
from tunegate.training.compute import Compute

ROOT = Path(__file__).parents[2]


def kill(folder: Path, threads: int, when: str, **changes: Any) -> None:
    more = ["cpu", "fp32", json.dumps(changes)]
    command = [sys.executable, "-m", "tests.training.killed", str(folder), str(threads), when, *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def taken_up(folder: Path, threads: int = 1, **changes: Any) -> Learning:
    work = learning(folder, compute=Compute("cpu", "fp32", threads), threads=threads, **changes)
    work.fit()
    return work


def whole(folder: Path, threads: int = 1, **changes: Any) -> Learning:
    """The same training, never stopped."""
    return taken_up(folder / "whole", threads, **changes)


@pytest.mark.parametrize(("threads", "when", "resumed"), [(1, "step:10", 8), (2, "saving:12", 8)])
def test_a_killed_training_ends_with_the_same_bits(threads: int, when: str, resumed: int, tmp_path: Path) -> None:
    kill(tmp_path, threads, when)
    assert not (tmp_path / "checkpoints" / "step-00000004" / "best.safetensors").exists()  # no epoch was over yet
    work = taken_up(tmp_path, threads)
    assert f"resuming at step {resumed} of 18 from step-{resumed:08d}" in work.log.getvalue()
    assert same_weights(work.model, whole(tmp_path, threads).model)


OPTIONS: dict[str, dict[str, Any]] = {
    "average": {"ema_decay": 0.9, "schedule": "cosine"},
    "unfreezing": {"unfreeze_epochs": 1, "layer_decay": 0.5, "reinitialised_layers": 1},
    "passes": {"r_drop": 1.0, "adversarial": "freelb", "label_smoothing": 0.1, "micro_batch": 3},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_killed_training_with_options_ends_with_the_same_bits(name: str, tmp_path: Path) -> None:
    kill(tmp_path, 1, "step:10", **OPTIONS[name])
    work = taken_up(tmp_path, **OPTIONS[name])
    assert "resuming at step 8 of 18" in work.log.getvalue()
    assert same_weights(work.model, whole(tmp_path, **OPTIONS[name]).model)


def stopped(folder: Path) -> list[Path]:
    """A whole training's two newest checkpoints, of steps 12 and 16: as if it had been killed at its last step."""
    learning(folder).fit()
    found = sorted((folder / "checkpoints").glob("step-*"))
    assert [path.name for path in found] == ["step-00000012", "step-00000016"]
    return found


@pytest.mark.parametrize("name", ["weights.safetensors", "optimiser.safetensors", "run.json", "best.safetensors"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_is_used(name: str, tmp_path: Path) -> None:
    _, newest = stopped(tmp_path)
    content = bytearray((newest / name).read_bytes())
    content[len(content) // 2] ^= 1
    (newest / name).write_bytes(content)
    work = taken_up(tmp_path)
    said = work.log.getvalue()
    assert f"checkpoint step-00000016 is damaged (the hash of {name} is not the manifest's)" in said
    assert "resuming at step 12" in said
    assert same_weights(work.model, whole(tmp_path).model)


def test_with_every_checkpoint_damaged_it_begins_anew(tmp_path: Path) -> None:
    for path in stopped(tmp_path):
        (path / "manifest.json").write_text("{")
    work = taken_up(tmp_path)
    assert "resuming" not in work.log.getvalue()
    assert same_weights(work.model, whole(tmp_path).model)


def test_a_missing_file_is_a_damage_too(tmp_path: Path) -> None:
    _, newest = stopped(tmp_path)
    (newest / "optimiser.safetensors").unlink()
    assert "(optimiser.safetensors is missing)" in taken_up(tmp_path).log.getvalue()


def test_a_checkpoint_holds_no_pickle_and_says_its_threads(tmp_path: Path) -> None:
    _, newest = stopped(tmp_path)
    assert {path.suffix for path in newest.iterdir()} == {".json", ".safetensors"}
    numbers = json.loads((newest / "run.json").read_text())
    assert (numbers["step"], numbers["epoch"], numbers["batch"], numbers["threads"]) == (16, 2, 4, 1)
