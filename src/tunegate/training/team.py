"""Processes that train one model together: each has the whole model and takes a share of every batch.

Gradients are summed over all of them before a step, so that every process takes the same step and their weights never
part. Sums have one order for one number of processes: the same number gives the same bits. It is torch's own
`distributed` (NCCL between GPUs, gloo between CPUs), which torchrun and accelerate start too; the stage starts its
helpers itself, so that they end with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Team:
    """`number` is this process's among `size`. The first one, 0, writes files and reports."""

    number: int = 0
    size: int = 1

    @property
    def is_alone(self) -> bool:
        return self.size == 1

    @property
    def leads(self) -> bool:
        return self.number == 0

    def share(self, rows: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """This process's rows of a batch, of like numbers of tokens; none where the batch has fewer rows."""
        return rows[np.argsort(lengths[rows], kind="stable")][self.number :: self.size]

    def seed(self, seed: int, step: int) -> None:
        """Make chance at this step a matter of seed, step and process alone: dropout differs between processes, and a
        resumed training has what it would have had."""
        import torch

        torch.manual_seed(int(np.random.SeedSequence((seed, step, self.number)).generate_state(1, np.uint64)[0] >> 1))

    def add_up(self, tensor: "torch.Tensor") -> None:
        """The sum over all processes, in place."""
        if not self.is_alone:
            _distributed().all_reduce(tensor)

    def least(self, number: int) -> int:
        """Over all processes."""
        if self.is_alone:
            return number
        values: list[Any] = [None] * self.size
        _distributed().all_gather_object(values, number)
        return int(min(values))

    def in_turn(self, work: Callable[[], None]) -> None:
        """The first process does it; when it is done, the others do: they find what the first one left."""
        if self.leads:
            work()
        if not self.is_alone:
            _distributed().barrier()
        if not self.leads:
            work()


ALONE = Team()


def _distributed() -> Any:
    import torch.distributed

    return torch.distributed
