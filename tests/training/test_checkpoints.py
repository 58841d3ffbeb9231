from pathlib import Path

import torch

from tests.training.learning import learning
from tunegate.training.checkpoints import Checkpoints


def test_only_the_two_newest_are_kept_and_nothing_unfinished(tmp_path: Path) -> None:
    learning(tmp_path, checkpoint_steps=3).fit()
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-00000012", "step-00000015"]


def test_a_restored_run_is_the_saved_one_bit_by_bit(tmp_path: Path) -> None:
    run = learning(tmp_path, checkpoint_steps=1000).fit()
    checkpoints = Checkpoints(tmp_path / "saved", 1)
    checkpoints.save(run)
    random = torch.rand(3)
    fresh = learning(tmp_path).training._begin()
    checkpoint = checkpoints.latest(print)
    assert checkpoint is not None
    checkpoint.restore(fresh)
    assert torch.equal(torch.rand(3), random)
    assert fresh.numbers() == run.numbers()
    saved, restored = run.tensors(), fresh.tensors()
    for file in ("weights", "optimiser", "best"):
        assert saved[file].keys() == restored[file].keys()
        assert all(saved[file][name].equal(value) for name, value in restored[file].items())


def test_what_is_frozen_is_not_in_a_checkpoint(tmp_path: Path) -> None:
    run = learning(tmp_path, tune="head").fit()
    assert set(run.tensors()["weights"]) == {
        "bert.pooler.dense.weight",
        "bert.pooler.dense.bias",
        "classifier.weight",
        "classifier.bias",
    }


def test_a_folder_without_checkpoints_has_no_latest(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "none", 1).latest(print) is None
