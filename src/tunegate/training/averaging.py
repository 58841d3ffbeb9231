"""A moving average of the weights, kept beside them (Polyak and Juditsky 1992)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def decay_at(step: int, decay: float) -> float:
    """Smaller at first, or the average would long remember the start (as TensorFlow's ExponentialMovingAverage)."""
    return min(decay, (1 + step) / (10 + step))


def move(average: "dict[str, torch.Tensor]", weights: "dict[str, torch.Tensor]", decay: float) -> None:
    """The average in place, towards the weights of the same names."""
    from torch.optim.swa_utils import get_ema_multi_avg_fn

    get_ema_multi_avg_fn(decay)(list(average.values()), [weights[name] for name in average], 0)  # type: ignore[no-untyped-call]
