"""Loss and accuracy over rows that are not trained on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tunegate.training.batches import Examples, evaluation_batches
from tunegate.training.compute import Compute
from tunegate.training.loss import IGNORED

if TYPE_CHECKING:
    import torch


def score(
    answer: "Callable[[dict[str, torch.Tensor]], torch.Tensor]",
    examples: Examples,
    class_weights: "torch.Tensor | None",
    compute: Compute,
) -> tuple[float, float]:
    """Mean loss (classes weighted as in training) and share of labelled positions answered right.

    The model behind `answer` is in evaluation mode.
    """
    import torch
    from torch.nn import functional

    totals = torch.zeros(4, dtype=torch.float64, device=compute.torch_device)  # loss, its weight, right, positions
    with torch.inference_mode(), compute.autocast():
        for chosen in evaluation_batches(examples):
            logits = answer(examples.inputs(chosen, compute.torch_device)).float()
            flat, labels = (
                logits.reshape(-1, logits.shape[-1]),
                examples.targets(chosen, compute.torch_device).reshape(-1),
            )
            losses = functional.cross_entropy(flat, labels, class_weights, ignore_index=IGNORED, reduction="none")
            asked = labels != IGNORED
            weights = asked if class_weights is None else class_weights[labels.clamp(min=0)] * asked
            right = (flat.argmax(dim=-1) == labels) & asked
            totals += torch.stack(
                [losses.double().sum(), weights.double().sum(), right.double().sum(), asked.double().sum()]
            )
    loss, weight, right_count, positions = totals.tolist()
    return loss / weight, right_count / positions
