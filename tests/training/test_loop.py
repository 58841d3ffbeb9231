from dataclasses import replace
from pathlib import Path

import pytest

from tests.models.encoders import FAMILIES
from tests.training.learning import learning, same_weights, weights
from tunegate.errors import UserError
from tunegate.training.loop import Training
from tunegate.training.state import Run


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_learns_what_words_tell(family: str, tmp_path: Path) -> None:
    run = learning(tmp_path, family=family, epochs=8, learning_rate=1e-2, checkpoint_steps=1000).fit()
    assert run.scores[-1].validation_accuracy == 1.0
    assert run.scores[-1].train_loss < run.scores[0].train_loss


def test_the_same_inputs_give_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    first, again = learning(tmp_path / "a", checkpoint_steps=1000), learning(tmp_path / "b", checkpoint_steps=1000)
    other = learning(tmp_path / "c", seed=1, checkpoint_steps=1000)
    for one in (first, again, other):
        one.fit()
    assert same_weights(first.model, again.model)
    assert not same_weights(first.model, other.model)


def test_the_model_is_left_with_the_weights_of_its_best_epoch(tmp_path: Path) -> None:
    work = learning(tmp_path, epochs=6, learning_rate=3e-2, warmup=0.0, checkpoint_steps=1000)
    run = work.fit()
    losses = [score.validation_loss for score in run.scores]
    assert run.best_epoch is not None and losses[run.best_epoch] == min(losses)  # type: ignore[type-var]
    until_best = learning(tmp_path, epochs=6, learning_rate=3e-2, warmup=0.0, checkpoint_steps=1000)
    stopped = stop_after(until_best.training, run.best_epoch + 1)
    assert all(weights(work.model)[name].equal(value) for name, value in stopped.trained().items())


def stop_after(training: Training, epochs: int) -> Run:
    """The run as it stands after some of its epochs, by the loop's own steps."""
    from tunegate.training.compute import repeatable

    with repeatable(training.compute, training.settings.seed):
        run = training._begin()
        for _ in range(epochs):
            training._train_epoch(run)
            training._judge_epoch(run)
    return run


def test_patience_ends_a_training_that_no_longer_gets_better(tmp_path: Path) -> None:
    run = learning(tmp_path, epochs=50, learning_rate=1e-2, patience=2, checkpoint_steps=1000).fit()
    assert len(run.scores) < 50
    assert run.best_epoch == len(run.scores) - 3


def test_without_validation_rows_the_last_weights_stay(tmp_path: Path) -> None:
    work = learning(tmp_path)
    training = replace(work.training, data=replace(work.training.data, validation=None))
    run = training.fit()
    assert [score.validation_loss for score in run.scores] == [None] * 3
    assert run.best_epoch is None and not run.best


def test_frozen_weights_stay_as_they_were(tmp_path: Path) -> None:
    work = learning(tmp_path, tune="partial", frozen_layers=1)
    before = weights(work.model)
    work.fit()
    after = weights(work.model)
    frozen = {name for name, value in work.model.named_parameters() if not value.requires_grad}
    assert any("layer.0." in name for name in frozen) and any("embeddings" in name for name in frozen)
    assert all(before[name].equal(after[name]) == (name in frozen) for name in before)


def test_a_diverged_loss_is_answered_with_the_rate_that_caused_it(tmp_path: Path) -> None:
    work = learning(tmp_path, learning_rate=1.0, head_learning_rate=1.0, warmup=0.0, max_gradient_norm=1e30)
    work.model.get_parameter("classifier.weight").data.fill_(float("inf"))
    with pytest.raises(UserError, match=r"epoch 1, at or before step 4.*learning_rate \(now 1\)"):
        work.fit()
    assert not list((tmp_path / "checkpoints").glob("step-*"))  # nothing diverged is ever resumed


def test_too_little_memory_for_one_row_is_answered_with_what_to_make_smaller(tmp_path: Path) -> None:
    work = learning(tmp_path)

    def too_much(_inputs: object) -> object:
        import torch

        return torch.empty(1 << 60)

    learner = replace(work.training.learner, answer=too_much)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"too little memory for a single row.*max_length"):
        replace(work.training, learner=learner).fit()


def test_the_head_learns_at_its_own_rate(tmp_path: Path) -> None:
    work = learning(tmp_path, learning_rate=1e-9, head_learning_rate=1e-2, weight_decay=0.0, epochs=1)
    before = weights(work.model)
    work.fit()
    moved = {name: float((value - before[name]).abs().max()) for name, value in weights(work.model).items()}
    assert moved["classifier.weight"] > 1e-3
    assert max(change for name, change in moved.items() if name.startswith("bert.")) < 1e-6
