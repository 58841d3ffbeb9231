"""Dropout whose masks cost little on a CPU: sixteen random bits per element instead of a random number.

torch draws a Bernoulli number for each element, one after the other, which is a third of a small encoder's training
time. Here whole words of 64 random bits are drawn, and each quarter of a word is compared with the rate. Masks come
from torch's own generator, so that seeds and checkpoints hold as before.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

LEVELS = 1 << 16  # a rate is rounded to so many parts: 0.1 becomes 0.10001, and kept values are scaled by just that
LOWEST = -(1 << 15)


@contextmanager
def quick_dropout(device: str) -> Iterator[None]:
    """Inside, `torch.nn.functional.dropout` (which modules call too) draws its masks so; a GPU's are left alone."""
    from torch.nn import functional

    if device != "cpu":
        yield
        return
    usual: Any = functional.dropout
    functional.dropout = _instead_of(usual)
    try:
        yield
    finally:
        functional.dropout = usual


def _instead_of(usual: "Callable[..., torch.Tensor]") -> "Callable[..., torch.Tensor]":
    def dropout(
        input: "torch.Tensor",
        p: float = 0.5,
        training: bool = True,
        inplace: bool = False,
    ) -> "torch.Tensor":
        if not training or inplace or not 0 < p < 1 or not input.is_floating_point():
            return usual(input, p, training, inplace)
        return input * mask_like(input, p)

    return dropout


def mask_like(values: "torch.Tensor", rate: float) -> "torch.Tensor":
    """0 for the share `rate` of the elements, for the others what keeps the mean (Srivastava et al. 2014)."""
    import torch

    dropped = min(LEVELS - 1, max(1, round(rate * LEVELS)))
    words = torch.empty((values.numel() + 3) // 4, dtype=torch.int64)
    words.random_(-(1 << 63), None)  # the whole range: every bit is random
    bits = words.view(torch.int16)[: values.numel()].view(values.shape)
    return (bits >= dropped + LOWEST).to(values.dtype).mul_(LEVELS / (LEVELS - dropped))
