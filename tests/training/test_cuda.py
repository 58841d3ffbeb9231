"""The same loop on a GPU: what the CPU's tests show, where there is one (`pytest -q tests/training/test_cuda.py`)."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.models.encoders import FAMILIES
from tests.training.learning import HEAD, Learning, learning, same_weights, settings
from tunegate.errors import UserError
from tunegate.models.loading import input_names
from tunegate.training.compute import Compute, choose_compute, repeatable
from tunegate.training.features import FeatureExamples
from tunegate.training.learner import HeadAlone
from tunegate.training.loop import Training

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")

ROOT = Path(__file__).parents[2]
GPU = Compute("cuda", "bf16", 1)


def test_auto_takes_the_gpu_and_its_bf16() -> None:
    assert choose_compute(settings()) == GPU


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_learns_what_words_tell_in_bf16(family: str, tmp_path: Path) -> None:
    run = learning(tmp_path, compute=GPU, family=family, epochs=8, learning_rate=1e-2, checkpoint_steps=1000).fit()
    assert run.scores[-1].validation_accuracy == 1.0
    assert run.scores[-1].train_loss < run.scores[0].train_loss


@pytest.mark.parametrize(("precision", "when"), [("fp32", "step:10"), ("bf16", "step:10"), ("bf16", "saving:12")])
def test_a_killed_training_ends_with_the_same_bits(precision: str, when: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.training.killed", str(tmp_path), "1", when, "cuda", precision]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    compute = Compute("cuda", precision, 1)  # type: ignore[arg-type]
    taken_up, whole = (learning(folder, compute=compute) for folder in (tmp_path, tmp_path / "whole"))
    for work in (taken_up, whole):
        work.fit()
    assert "resuming at step 8 of 18" in taken_up.log.getvalue()
    assert same_weights(taken_up.model, whole.model)


def test_the_head_alone_learns_from_features_that_were_kept(tmp_path: Path) -> None:
    work = learning(tmp_path, compute=GPU, tune="head", epochs=20, learning_rate=3e-2, checkpoint_steps=1000)
    training = work.training
    alone = HeadAlone(
        work.model, ("classifier.weight",), input_names(work.model), GPU, tmp_path / "features", training.progress, HEAD
    )
    with repeatable(GPU, 0), alone.learner(training.data) as (learner, data):
        assert isinstance(data.train, FeatureExamples)
        run = replace(training, learner=learner, data=data).fit()
    assert run.scores[-1].train_loss < run.scores[0].train_loss


def test_a_gpu_that_holds_not_even_one_row_is_answered_with_a_sentence(tmp_path: Path) -> None:
    work: Learning = learning(tmp_path, compute=GPU)

    def too_much(_inputs: object) -> object:
        return torch.empty(1 << 42, device="cuda")

    learner = replace(work.training.learner, answer=too_much)  # type: ignore[arg-type]
    training: Training = replace(work.training, learner=learner)
    with pytest.raises(UserError, match="too little memory for a single row"):
        training.fit()
    assert "4 at once from here on, batches of 8 as before" in work.log.getvalue()
