"""Loss and accuracy over rows that are not trained on."""

from typing import TYPE_CHECKING

from tunegate.training.batches import Examples, evaluation_batches
from tunegate.training.compute import Compute
from tunegate.training.loss import Loss

if TYPE_CHECKING:
    import torch

    from tunegate.training.loop import Answer


def score(
    answer: "Answer", loss: Loss, examples: Examples, class_weights: "torch.Tensor | None", compute: Compute
) -> tuple[float, float]:
    """Mean loss (classes weighted as in training) and the share of positions of its main part that are answered right.

    The model behind `answer` is in evaluation mode.
    """
    import torch

    totals: torch.Tensor | None = None  # [parts, 4]
    batches = evaluation_batches(examples)
    own = batches[compute.team.number :: compute.team.size]
    with torch.inference_mode(), compute.autocast():
        for chosen in own or batches[:1]:
            outputs = answer(examples.inputs(chosen, compute.torch_device))
            parts = loss(outputs, examples.targets(chosen, compute.torch_device), class_weights)
            sums = torch.stack(
                [torch.stack([part.loss, part.weight, part.right, part.asked]).double() for part in parts]
            )
            totals = sums if totals is None else totals + sums
        if totals is not None:
            compute.team.add_up(totals if own else totals.zero_())
    if totals is None:
        return float("nan"), float("nan")
    losses, weights, right, asked = totals.T.tolist()
    whole = sum(loss / weight for loss, weight in zip(losses, weights, strict=True) if weight)
    return whole, right[0] / asked[0] if asked[0] else float("nan")
