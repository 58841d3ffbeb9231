"""Options that papers brought: off they change nothing, on they do what the paper says."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.learning import Learning, learning, same_weights, weights
from tunegate.errors import UserError
from tunegate.training.averaging import decay_at
from tunegate.training.batches import epoch_batches
from tunegate.training.compute import repeatable
from tunegate.training.optimiser import schedule


def by_hand(work: Learning) -> None:
    """The training with all options off, written down plainly: torch's AdamW in two groups, clipping, linear decay."""
    training, model = work.training, work.model
    settings, parameters = training.settings, list(model.parameters())
    groups = [
        {"params": [one for one in parameters if (one.ndim > 1) == decays and (name(model, one) in heads) == in_head]}
        | {"weight_decay": settings.weight_decay if decays else 0.0}
        for heads in [training.learner.head_names]
        for in_head in (False, True)
        for decays in (True, False)
    ]
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8, fused=True)
    ordered = [one for group in optimiser.param_groups for one in group["params"]]
    cpu, step = torch.device("cpu"), 0
    with repeatable(training.compute, settings.seed):
        for epoch in range(settings.epochs):
            model.train()
            batches = epoch_batches(training.data.train, settings.batch_size, settings.seed, epoch)
            for chosen in batches:
                for group in optimiser.param_groups:
                    group["lr"] = settings.learning_rate * schedule(
                        step, settings.epochs * len(batches), settings.warmup
                    )
                logits = model(**training.data.train.inputs(chosen, cpu))["logits"]
                labels = training.data.train.targets(chosen, cpu)["labels"]
                (torch.nn.functional.cross_entropy(logits, labels, reduction="sum") / len(labels)).backward()
                torch.nn.utils.clip_grad_norm_(ordered, settings.max_gradient_norm)
                optimiser.step()
                optimiser.zero_grad()
                step += 1


def name(model: Any, wanted: Any) -> str:
    return next(name for name, parameter in model.named_parameters() if parameter is wanted)


def test_with_every_option_off_the_loop_is_the_plain_one_bit_by_bit(tmp_path: Path) -> None:
    ours, plain = learning(tmp_path, epochs=1, checkpoint_steps=1000), learning(tmp_path, epochs=1)
    ours.fit()
    by_hand(plain)
    assert same_weights(ours.model, plain.model)


def moved(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before if not before[name].equal(after[name])}


def test_layers_join_the_training_one_by_one_from_the_top(tmp_path: Path) -> None:
    states = [weights(learning(tmp_path).model)]
    for epochs in (1, 2, 3, 4):
        work = learning(tmp_path, epochs=4, unfreeze_epochs=1, checkpoint_steps=1000)
        fit_for(work, epochs)
        states.append(weights(work.model))
    changed = [moved(before, after) for before, after in pairwise(states)]
    above = {name for name in states[0] if name.startswith("classifier") or "pooler" in name}
    assert changed[0] == above
    assert changed[1] == above | {name for name in states[0] if "layer.1." in name}
    assert changed[2] == changed[1] | {name for name in states[0] if "layer.0." in name}
    assert changed[3] == set(states[0])


def fit_for(work: Learning, epochs: int) -> None:
    training, unfreezing = work.training, work.training._unfreezing()
    with repeatable(training.compute, training.settings.seed):
        run = training._begin()
        for epoch in range(epochs):
            with unfreezing(epoch):
                training._train_epoch(run)
            training._judge_epoch(run)


def test_after_gradual_unfreezing_everything_counts_as_trained(tmp_path: Path) -> None:
    work = learning(tmp_path, unfreeze_epochs=2, tune="partial", frozen_layers=1)
    trained = {name for name, value in work.model.named_parameters() if value.requires_grad}
    run = work.fit()
    assert {name for name, value in work.model.named_parameters() if value.requires_grad} == trained == run.names


def test_the_average_is_judged_and_kept_and_the_training_itself_goes_on_as_without(tmp_path: Path) -> None:
    plain = learning(tmp_path / "plain", epochs=1, checkpoint_steps=1000)
    averaged = learning(tmp_path / "averaged", epochs=1, checkpoint_steps=1000, ema_decay=0.5)
    average = {name: value.clone() for name, value in weights(averaged.model).items()}
    steps: list[dict[str, Any]] = []
    plain.training.progress.advance = lambda *_: None  # type: ignore[method-assign]
    look = type(plain.training)._look
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(plain.training), "_look", lambda self, run: (steps.append(run.copied()), look(self, run)))
        without = plain.fit()
    for number, step in enumerate(steps, start=1):
        for name, value in step.items():
            average[name] += (value - average[name]) * (1 - decay_at(number, 0.5))
    run = averaged.fit()
    assert run.losses.equal(without.losses)
    assert all(torch.allclose(value, average[name], atol=1e-6) for name, value in weights(averaged.model).items())
    assert run.scores[0].validation_loss != without.scores[0].validation_loss


def test_an_average_is_kept_without_validation_rows_too(tmp_path: Path) -> None:
    from dataclasses import replace

    work = learning(tmp_path, ema_decay=0.9)
    run = replace(work.training, data=replace(work.training.data, validation=None)).fit()
    assert all(value.equal(run.average[name]) for name, value in weights(work.model).items())


@pytest.mark.parametrize("setting", ["layer_decay", "reinitialised_layers", "unfreeze_epochs"])
def test_options_of_layers_are_refused_for_a_head_alone(setting: str) -> None:
    from tests.training.learning import settings

    value = 0.5 if setting == "layer_decay" else 1
    with pytest.raises(ValueError, match=f"{setting} with `tune: head`"):
        settings(tune="head", **{setting: value})


def test_layers_that_share_their_weights_cannot_be_unfrozen_one_by_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unfreeze_epochs: this model's layers share"):
        learning(tmp_path, family="albert", unfreeze_epochs=1).fit()
