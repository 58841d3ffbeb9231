"""Training on embeddings moved to where the loss is higher: FGM, PGD, FreeLB.

Each row's word embeddings are moved as one vector; the passes' gradients add up in the weights.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tunegate.train_settings import TrainSettings
from tunegate.training.loss import Terms, mean

Objective = Callable[[], list[Terms]]
"""One pass of a batch through the model, to the parts of its loss."""

Passes = Iterator[tuple[float, list[Terms]]]
"""Passes to be added up, each with its share. Whoever takes one calls `backward` on it before taking the next."""


def passes(objective: Objective, embeddings: Any, settings: TrainSettings) -> Passes:
    """The plain pass alone, or as the method wants them. `embeddings` is the module of word embeddings."""
    if settings.adversarial == "none":
        yield 1.0, objective()
    elif settings.adversarial == "freelb":
        yield from _freelb(objective, embeddings, settings)
    else:
        yield from _ascended(objective, embeddings, settings)


def _ascended(objective: Objective, embeddings: Any, settings: TrainSettings) -> Passes:
    """The plain loss, and that after one step (Miyato et al. 2017) or several, projected (Madry et al. 2018)."""
    import torch

    size = settings.adversarial_size
    with _moved(embeddings) as move:
        yield 1.0, objective()
        slope = move.gradient()
        if settings.adversarial == "fgm":
            move.by = size * _unit(slope)
        else:
            for number in range(settings.adversarial_steps):
                if number:
                    (slope,) = torch.autograd.grad(mean(objective()), move.taken())
                move.by = _within(move.by + settings.adversarial_step_size * _unit(slope), size)
        yield 1.0, objective()


def _freelb(objective: Objective, embeddings: Any, settings: TrainSettings) -> Passes:
    """From a random start, the mean of the gradients on the way up (Zhu et al. 2020, algorithm 1)."""
    steps, size = settings.adversarial_steps, settings.adversarial_size
    with _moved(embeddings, start=size) as move:
        for _ in range(steps):
            yield 1 / steps, objective()
            move.by = _within(move.by + settings.adversarial_step_size * _unit(move.gradient()), size)


class _Move:
    """What is added to the embeddings [b, l, h], the same for all calls of one pass."""

    def __init__(self, start: float) -> None:
        self.start = start
        self.by: Any = None
        self.leaves: list[Any] = []

    def add(self, _module: object, _arguments: object, output: Any) -> Any:
        import torch

        if self.by is None:
            noise = torch.rand_like(output, dtype=torch.float32) * 2 - 1 if self.start else torch.zeros_like(output)
            self.by = (self.start * noise / output[0].numel() ** 0.5).detach()
        leaf = self.by.detach().clone().requires_grad_(True)
        self.leaves.append(leaf)
        return output + leaf.to(output.dtype)

    def taken(self) -> list[Any]:
        """The leaves of the pass that was made last, forgotten with it."""
        leaves, self.leaves = self.leaves, []
        return leaves[-1:]

    def gradient(self) -> Any:
        """Of the loss by the move, after `backward`; of all calls of the pass together (R-Drop makes two)."""
        leaves, self.leaves = self.leaves, []
        return sum(leaf.grad for leaf in leaves)


@contextmanager
def _moved(embeddings: Any, start: float = 0.0) -> Iterator[_Move]:
    move = _Move(start)
    hook = embeddings.register_forward_hook(move.add)
    try:
        yield move
    finally:
        hook.remove()


def _unit(slope: Any) -> Any:
    """Each row's direction; none where the loss does not change."""
    return slope / _norms(slope).clamp(min=1e-12)


def _within(move: Any, size: float) -> Any:
    """Each row's move, shortened to the size."""
    return move * (size / _norms(move).clamp(min=1e-12)).clamp(max=1.0)


def _norms(rows: Any) -> Any:
    return rows.float().flatten(1).norm(dim=1)[:, None, None]
