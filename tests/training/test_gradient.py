"""A batch in parts, on moved embeddings, and where memory ends."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.training.learning import COMPUTE, Learning, learning, same_weights
from tunegate.training.compute import repeatable
from tunegate.training.gradient import Gradient
from tunegate.training.state import Run

METHODS = ("none", "fgm", "pgd", "freelb")


def gradient(work: Learning, rows: int = 8) -> tuple[float, dict[str, Any]]:
    """The loss and the gradients of the first rows, with the settings' way of taking them."""
    training = work.training
    run = training._begin()
    made = Gradient(training.learner, training.data, training.settings, training.compute, training.progress)
    with repeatable(COMPUTE, 0):
        loss = float(made.of(np.arange(rows), run))
    return loss, {name: value.grad.clone() for name, value in work.model.named_parameters() if value.grad is not None}


def near(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.allclose(one[n], other[n], atol=1e-6, rtol=1e-3) for n in one)


@pytest.mark.parametrize(
    "more", [{}, {"label_smoothing": 0.1}, {"r_drop": 1.0}, {"adversarial": "fgm"}, {"adversarial": "pgd"}]
)
@pytest.mark.parametrize("micro", [1, 3, 4])
def test_parts_of_a_batch_give_the_gradient_of_the_whole(more: dict[str, Any], micro: int, tmp_path: Path) -> None:
    changes = {**more, "dropout": 0.0}
    whole = gradient(learning(tmp_path, **changes))
    parts = gradient(learning(tmp_path, micro_batch=micro, **changes))
    assert parts[0] == pytest.approx(whole[0], rel=1e-5)
    assert near(parts[1], whole[1])


def test_unequal_parts_count_by_what_they_weigh(tmp_path: Path) -> None:
    works = [learning(tmp_path, dropout=0.0), learning(tmp_path, dropout=0.0, micro_batch=5)]
    weights = torch.tensor([1.0, 9.0])
    for work in works:
        work.training = replace(work.training, data=replace(work.training.data, class_weights=weights))
    (whole, by_whole), (parts, by_parts) = (gradient(work) for work in works)
    assert parts == pytest.approx(whole, rel=1e-5) and near(by_parts, by_whole)


class Memory:
    """A model that holds so many rows at once, as a GPU would."""

    def __init__(self, work: Learning, rows: int) -> None:
        self.rows = rows
        self.asked: list[int] = []
        self.inner = work.training.learner.answer
        work.training = replace(work.training, learner=replace(work.training.learner, answer=self.answer))

    def answer(self, inputs: dict[str, Any]) -> dict[str, Any]:
        rows = len(inputs["input_ids"])
        self.asked.append(rows)
        if torch.is_grad_enabled() and rows > self.rows:
            torch.rand(3)  # what a failed attempt drew does not count
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return self.inner(inputs)


def test_out_of_memory_halves_the_rows_at_once_and_trains_as_if_told_so(tmp_path: Path) -> None:
    small, told = learning(tmp_path / "small", checkpoint_steps=1000), learning(tmp_path / "told", micro_batch=2)
    Memory(small, 3)
    run = small.fit()
    assert (run.micro_batch, run.halvings) == (2, [(0, 4), (0, 2)])
    assert "memory ran out at step 0 with 8 rows at once: 4 at once from here on, batches of 8" in small.log.getvalue()
    assert told.fit().losses.equal(run.losses)
    assert same_weights(small.model, told.model)


def test_a_resumed_training_does_not_run_out_of_memory_again(tmp_path: Path) -> None:
    small = learning(tmp_path)
    Memory(small, 3)
    small.fit()
    again = learning(tmp_path)
    memory = Memory(again, 3)
    run = again.fit()
    assert "resuming at step 16" in again.log.getvalue()
    assert run.halvings == [(0, 4), (0, 2)] and 8 not in memory.asked[:2]
    assert same_weights(small.model, again.model)


def test_another_error_is_not_taken_for_memory(tmp_path: Path) -> None:
    work = learning(tmp_path)

    def broken(_inputs: object) -> Any:
        raise RuntimeError("shapes do not match")

    training = replace(work.training, learner=replace(work.training.learner, answer=broken))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        training.fit()


def losses_seen(work: Learning) -> list[float]:
    """Of every pass of one batch, in order."""
    seen: list[float] = []
    inner = work.training.learner.loss

    def told(outputs: Any, targets: Any, class_weights: Any) -> Any:
        parts = inner(outputs, targets, class_weights)
        seen.append(float(parts[0].loss.detach() / parts[0].weight))
        return parts

    work.training = replace(work.training, learner=replace(work.training.learner, loss=told, minimised=None))
    gradient(work)
    return seen


def test_each_method_moves_embeddings_to_where_the_loss_is_higher(tmp_path: Path) -> None:
    common = {"dropout": 0.0, "adversarial_size": 0.5, "adversarial_step_size": 0.1, "adversarial_steps": 3}
    seen = {method: losses_seen(learning(tmp_path, adversarial=method, **common)) for method in METHODS}
    assert {method: len(losses) for method, losses in seen.items()} == {"none": 1, "fgm": 2, "pgd": 4, "freelb": 3}
    assert seen["fgm"][1] > seen["none"][0]
    assert seen["pgd"] == sorted(seen["pgd"]) and seen["pgd"][3] > seen["none"][0]
    assert seen["freelb"] == sorted(seen["freelb"])


def test_moves_stay_within_their_size(tmp_path: Path) -> None:
    work = learning(tmp_path, adversarial="pgd", adversarial_size=0.2, adversarial_step_size=10.0, dropout=0.0)
    layer = work.model.bert.embeddings.LayerNorm
    states: list[Any] = []
    layer.register_forward_pre_hook(lambda _module, arguments: states.append(arguments[0].detach()))
    gradient(work)
    moved = [float((state - states[0]).flatten(1).norm(dim=1).max()) for state in states[1:]]
    assert len(moved) == 3 and all(size == pytest.approx(0.2, rel=1e-3) for size in moved)


def test_the_sum_of_passes_is_the_gradient_of_fgm_and_their_mean_that_of_freelb(tmp_path: Path) -> None:
    """With moves of no size each pass is the plain one."""
    tiny = {"dropout": 0.0, "adversarial_size": 1e-9, "adversarial_step_size": 1e-9}
    _, plain = gradient(learning(tmp_path, dropout=0.0))
    _, fgm = gradient(learning(tmp_path, adversarial="fgm", **tiny))
    _, freelb = gradient(learning(tmp_path, adversarial="freelb", **tiny))
    assert near(fgm, {name: 2 * value for name, value in plain.items()})
    assert near(freelb, plain)


@pytest.mark.parametrize("method", METHODS[1:])
def test_after_training_the_embeddings_are_those_of_the_model(method: str, tmp_path: Path) -> None:
    work = learning(tmp_path, adversarial=method, epochs=4, learning_rate=1e-2, checkpoint_steps=1000)
    run: Run = work.fit()
    assert not work.model.get_input_embeddings()._forward_hooks
    assert run.scores[-1].train_loss < run.scores[0].train_loss
