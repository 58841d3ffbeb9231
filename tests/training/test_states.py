"""With `tune: partial` rows pass the frozen layers once, and the layers above learn as if they did every time."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.models.encoders import FAMILIES
from tests.training.learning import COMPUTE, HEAD, Learning, learning, weights
from tunegate.models import boundary
from tunegate.training import states
from tunegate.training.compute import repeatable
from tunegate.training.loop import Data, Learner, Training
from tunegate.training.states import KeptStates, StateExamples

SEPARATE = [family for family in FAMILIES if family != "albert"]  # whose layers can be frozen one by one


def kept(work: Learning, folder: Path) -> KeptStates:
    return KeptStates(work.training.learner, HEAD.outputs, 1, COMPUTE, folder, work.training.progress)


def partial(folder: Path, **changes: Any) -> Learning:
    return learning(folder, tune="partial", frozen_layers=1, **changes)


def fit(work: Learning, learner: Learner, data: Data) -> None:
    training = work.training
    with repeatable(COMPUTE, 0):
        Training(learner, data, training.settings, COMPUTE, training.checkpoints, training.progress).fit()


@pytest.mark.parametrize("family", SEPARATE)
def test_the_upper_layers_learn_what_they_would_in_the_whole_model(family: str, tmp_path: Path) -> None:
    """Dropout included: frozen layers have none, so the same masks are drawn. Up to the order of sums."""
    slow, fast = (partial(tmp_path / name, family=family, epochs=2, checkpoint_steps=1000) for name in ("a", "b"))
    slow.fit()
    with kept(fast, tmp_path / "states").learner(fast.training.data) as (learner, data):
        assert isinstance(data.train, StateExamples) and isinstance(data.validation, StateExamples)
        fit(fast, learner, data)
    for name, value in weights(fast.model).items():
        assert np.allclose(value, weights(slow.model)[name], atol=2e-4), name


def test_frozen_layers_are_not_asked_again(tmp_path: Path) -> None:
    work = partial(tmp_path)
    with kept(work, tmp_path / "states").learner(work.training.data) as (learner, data):
        calls = []
        work.model.bert.encoder.layer[0].attention.register_forward_hook(lambda *_: calls.append(1))
        fit(work, learner, data)
        assert not calls
    work.model(**work.training.data.train.inputs(np.arange(2), torch.device("cpu")))
    assert calls  # whole again


def test_states_are_made_once_and_taken_up_by_the_next_run(tmp_path: Path) -> None:
    first, second = (partial(tmp_path / name) for name in ("a", "b"))
    with kept(first, tmp_path / "states").learner(first.training.data):
        made = (tmp_path / "states" / "states-train.npy").read_bytes()
    with kept(second, tmp_path / "states").learner(second.training.data):
        assert "is there from before (states-train.npy)" in second.log.getvalue()
    assert (tmp_path / "states" / "states-train.npy").read_bytes() == made
    (tmp_path / "states" / "states-train.npy").rename(tmp_path / "states" / "states-train.unfinished")
    with kept(second, tmp_path / "states").learner(second.training.data):
        assert (tmp_path / "states" / "states-train.npy").read_bytes() == made  # half a file is made anew, alike


def test_what_is_too_large_or_has_no_room_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = partial(tmp_path)
    for name, value in {"MOST_BYTES": 1000, "DISK_SHARE": 1 << 50}.items():
        with monkeypatch.context() as patch:
            patch.setattr(states, name, value)
            with kept(work, tmp_path / "states").learner(work.training.data) as (learner, data):
                assert learner is work.training.learner and data is work.training.data
        assert "every epoch passes through them" in work.log.getvalue()
        shutil.rmtree(tmp_path / "states")


def test_rows_that_are_made_anew_every_epoch_are_not_kept(tmp_path: Path) -> None:
    work = partial(tmp_path)
    changing = replace(
        work.training.data, train=replace(work.training.data.train, anew=lambda windows, seed: (windows, {}))
    )
    with kept(work, tmp_path / "states").learner(changing) as (learner, data):
        assert learner is work.training.learner and data is changing


def test_a_model_that_cannot_be_proved_alike_is_trained_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = boundary.hidden_states
    monkeypatch.setattr(boundary, "hidden_states", lambda *asked: usual(*asked).flip(1))
    work = partial(tmp_path)
    with kept(work, tmp_path / "states").learner(work.training.data) as (learner, data):
        assert learner is work.training.learner and data is work.training.data
    assert not list((tmp_path / "states").iterdir())
