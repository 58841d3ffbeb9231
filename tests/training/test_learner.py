from pathlib import Path

import numpy as np
import pytest

from tests.models.encoders import FAMILIES
from tests.training.learning import COMPUTE, HEAD, Learning, learning, weights
from tunegate.models.loading import input_names
from tunegate.training.compute import repeatable
from tunegate.training.features import FeatureExamples
from tunegate.training.learner import HeadAlone, tokens_in_use
from tunegate.training.loop import Data, Learner, Training


def head_alone(work: Learning, folder: Path) -> HeadAlone:
    names = input_names(work.model)
    return HeadAlone(work.model, ("classifier.weight",), names, COMPUTE, folder, work.training.progress, HEAD)


def fit(work: Learning, learner: Learner, data: Data) -> None:
    training = work.training
    with repeatable(COMPUTE, 0):
        Training(learner, data, training.settings, COMPUTE, training.checkpoints, training.progress).fit()


@pytest.mark.parametrize("family", FAMILIES)
def test_kept_features_train_the_head_that_the_whole_model_would(family: str, tmp_path: Path) -> None:
    """Without dropout and with the same batches, up to the order of sums."""
    slow, fast = (
        learning(tmp_path / name, family=family, tune="head", epochs=2, checkpoint_steps=1000) for name in ("a", "b")
    )
    for work in (slow, fast):
        for module in work.model.modules():
            if type(module).__name__ == "Dropout":
                module.p = 0.0
    with head_alone(fast, tmp_path / "features").learner(fast.training.data) as (learner, data):
        assert isinstance(data.train, FeatureExamples)
        same_order = Data(_Ungrouped(slow.training.data.train), slow.training.data.validation)
        fit(fast, learner, data)
    fit(slow, slow.training.learner, same_order)
    for name, value in weights(fast.model).items():
        assert np.allclose(value, weights(slow.model)[name], atol=2e-4), name


class _Ungrouped:
    """The examples as if all had one length, so that batches are those of the features."""

    def __init__(self, examples: object) -> None:
        self.examples = examples

    def __getattr__(self, name: str) -> object:
        return getattr(self.examples, name)

    @property
    def lengths(self) -> object:
        return np.ones(len(self.examples.windows), dtype=np.int64)  # type: ignore[attr-defined]


def test_features_are_made_once_and_taken_up_by_the_next_run(tmp_path: Path) -> None:
    first, second = (learning(tmp_path / name, tune="head") for name in ("a", "b"))
    with head_alone(first, tmp_path / "features").learner(first.training.data):
        made = (tmp_path / "features" / "features-train.npy").read_bytes()
    with head_alone(second, tmp_path / "features").learner(second.training.data) as (_, data):
        assert "the rows' features are there from before (features-train.npy)" in second.log.getvalue()
        assert (tmp_path / "features" / "features-train.npy").read_bytes() == made
        assert len(data.train.lengths) == 48


def test_the_model_is_whole_again_after_the_head_has_learned(tmp_path: Path) -> None:
    import torch

    work = learning(tmp_path, tune="head")
    with head_alone(work, tmp_path / "features").learner(work.training.data) as (learner, data):
        fit(work, learner, data)
    inputs = work.training.data.train.inputs(np.arange(4), torch.device("cpu"))
    changed = {**inputs, "input_ids": inputs["input_ids"].flip(0)}
    work.model.eval()
    with torch.no_grad():
        assert not torch.equal(work.model(**inputs).logits, work.model(**changed).logits)


def test_training_with_the_tokens_in_use_alone_gives_the_same_model(tmp_path: Path) -> None:
    """Up to the order of sums, and without decay of rows that no text uses (none here)."""
    whole, cut = (learning(tmp_path / name, weight_decay=0.0, checkpoint_steps=1000) for name in ("a", "b"))
    whole.fit()
    with tokens_in_use(cut.model, cut.training.data) as data:
        fit(cut, cut.training.learner, data)
    for name, value in weights(cut.model).items():
        assert np.allclose(value, weights(whole.model)[name], atol=1e-4), name
