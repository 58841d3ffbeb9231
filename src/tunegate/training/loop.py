"""The training loop. It knows tensors and checkpoints of tensors: no task, no table, no flow."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tunegate.errors import UserError
from tunegate.models.freezing import train_mode
from tunegate.progress import Progress
from tunegate.train_settings import TrainSettings
from tunegate.training.averaging import decay_at, move
from tunegate.training.batches import Examples, epoch_batches, of_epoch, steps_per_epoch
from tunegate.training.checkpoints import Checkpoint, Checkpoints
from tunegate.training.compute import Compute
from tunegate.training.gradient import Gradient
from tunegate.training.loss import Loss
from tunegate.training.optimiser import make_optimiser, schedule, set_rate, step_clipped
from tunegate.training.state import EpochScore, Run
from tunegate.training.unfreezing import Unfreezing
from tunegate.training.validation import score

if TYPE_CHECKING:
    import torch
    from torch import nn

STEPS_BETWEEN_LOOKS = 10  # reading a loss makes a GPU wait; a diverged loss stays nan, so a later look sees it too


Answer = Callable[["dict[str, torch.Tensor]"], "dict[str, torch.Tensor]"]
"""Named inputs to the model's named outputs."""


@dataclass(frozen=True)
class Learner:
    """`model` holds the parameters, `answer` asks it, `loss` says how wrong the outputs are; `minimised` is what is
    trained on, where that is another."""

    model: "nn.Module"
    head_names: frozenset[str]  # of the parameters that learn at the head's rate
    answer: "Answer"
    loss: Loss
    minimised: Loss | None = None


@dataclass(frozen=True)
class Data:
    """`class_weights`: float32 [classes] on the device, or None."""

    train: Examples
    validation: Examples | None
    class_weights: "torch.Tensor | None" = None


@dataclass(frozen=True)
class Training:
    """One training, from its start or from a checkpoint to its end."""

    learner: Learner
    data: Data
    settings: TrainSettings
    compute: Compute
    checkpoints: Checkpoints
    progress: Progress

    def fit(self, resume_from: Checkpoint | None = None) -> Run:
        """Train in place; the model is left with its best epoch's weights: those of the lowest validation loss.

        Without validation rows it is left with the last. Raises UserError for a diverged loss or too little memory.
        """
        run = self._begin()
        if resume_from is not None:
            resume_from.restore(run)
            self.progress.say(f"resuming at step {run.step:,} of {run.steps:,} from {resume_from.path.name}")
        unfreezing = self._unfreezing()
        while run.epoch < self.settings.epochs and not run.has_stalled(self.settings.patience):
            with unfreezing(run.epoch):
                self._train_epoch(run)
            self._judge_epoch(run)
        run.load_best()
        return run

    def _begin(self) -> Run:
        import torch

        optimiser = make_optimiser(self.learner.model, self.learner.head_names, self.settings)
        steps = self.settings.epochs * steps_per_epoch(self.data.train.weights, self.settings.batch_size)
        run = Run(self.learner.model, optimiser, torch.zeros(steps, device=self.compute.torch_device))
        run.micro_batch = self.settings.micro_batch
        if self.settings.ema_decay is not None:
            run.average = run.copied()
        return run

    def _unfreezing(self) -> Callable[[int], AbstractContextManager[None]]:
        """What stands during an epoch, by its number."""
        if self.settings.unfreeze_epochs is None:
            return lambda epoch: nullcontext()
        return Unfreezing(self.learner.model, self.settings.unfreeze_epochs).standing

    def _train_epoch(self, run: Run) -> None:
        train_mode(self.learner.model)
        batches = epoch_batches(self.data.train, self.settings.batch_size, self.settings.seed, run.epoch)
        data = replace(self.data, train=of_epoch(self.data.train, self.settings.seed, run.epoch))
        gradient = Gradient(self.learner, data, self.settings, self.compute, self.progress)
        for chosen in batches[run.batch :]:
            set_rate(run.optimiser, schedule(run.step, run.steps, self.settings.warmup, self.settings.schedule))
            if not self.compute.team.is_alone:
                self.compute.team.seed(self.settings.seed, run.step)
            loss = gradient.of(chosen, run)
            step_clipped(run.optimiser, self.settings.max_gradient_norm)
            run.losses[run.step] = loss
            run.step, run.batch = run.step + 1, run.batch + 1
            if self.settings.ema_decay is not None:
                move(run.average, run.trained(), decay_at(run.step, self.settings.ema_decay))
            self._look(run)

    def _look(self, run: Run) -> None:
        """Now and then: has the loss diverged, how far are we, is a checkpoint due?"""
        due = run.step % self.settings.checkpoint_steps == 0 and run.step < run.steps
        if due or run.step % STEPS_BETWEEN_LOOKS == 0 or run.step == run.steps:
            recent = float(run.losses[max(0, run.step - STEPS_BETWEEN_LOOKS) : run.step].mean())
            self._check_finite(recent, run)
            self.progress.advance("steps", run.step, run.steps, f"epoch {run.epoch + 1}, loss {recent:.3f}")
        if due:
            self._save(run)

    def _save(self, run: Run) -> None:
        """By the first process, for all: what they do not have in common is agreed on before."""
        team = self.compute.team
        least = team.least(run.micro_batch or self.settings.batch_size)
        run.micro_batch = run.micro_batch if team.is_alone or least == self.settings.batch_size else least
        if team.leads:
            self.checkpoints.save(run)

    def _judge_epoch(self, run: Run) -> None:
        train_loss = float(run.losses[run.step - run.batch : run.step].double().mean())
        self._check_finite(train_loss, run)
        run.epoch, run.batch = run.epoch + 1, 0
        if self.data.validation is None:
            run.scores.append(EpochScore(train_loss, None, None))
            return
        self.learner.model.eval()
        learner, held_out = self.learner, self.data.validation
        with run.averaged():
            loss, accuracy = score(learner.answer, learner.loss, held_out, self.data.class_weights, self.compute)
            self._check_finite(loss, run)
            run.scores.append(EpochScore(train_loss, loss, accuracy))
            if run.best_epoch == run.epoch - 1:
                run.keep_best()
        self.progress.say(
            f"epoch {run.epoch} of {self.settings.epochs}: training loss {train_loss:.4f}, "
            f"validation loss {loss:.4f}, accuracy {accuracy:.4f}"
        )

    def _check_finite(self, loss: float, run: Run) -> None:
        if not math.isfinite(loss):
            raise UserError(
                f"The loss became {loss} in epoch {run.epoch + 1}, at or before step {run.step}: training diverged.",
                f"Lower train.learning_rate (now {self.settings.learning_rate:g}) to a tenth, or lengthen "
                f"train.warmup (now {self.settings.warmup:g}); bf16 can be ruled out with train.precision: fp32.",
            )
