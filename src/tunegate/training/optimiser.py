"""AdamW in groups, the schedule of its rate, and clipping."""

from typing import TYPE_CHECKING

from tunegate.params import TrainSettings

if TYPE_CHECKING:
    import torch
    from torch import nn

BETAS = (0.9, 0.999)
EPSILON = 1e-8


def make_optimiser(model: "nn.Module", head_names: frozenset[str], settings: TrainSettings) -> "torch.optim.AdamW":
    """Fused AdamW over what is trained. Biases and norms do not decay (Devlin et al. 2019, appendix A.2)."""
    import torch

    groups = []
    for in_head in (False, True):
        for decays in (True, False):
            chosen = [
                parameter
                for name, parameter in model.named_parameters()
                if parameter.requires_grad and (name in head_names) == in_head and (parameter.ndim > 1) == decays
            ]
            peak = settings.head_learning_rate if in_head and settings.head_learning_rate else settings.learning_rate
            decay = settings.weight_decay if decays else 0.0
            if chosen:
                groups.append({"params": chosen, "peak": peak, "lr": peak, "weight_decay": decay})
    return torch.optim.AdamW(groups, betas=BETAS, eps=EPSILON, fused=True)


def schedule(step: int, steps: int, warmup: float) -> float:
    """The share of the peak rate at a step (from 0): a linear rise over the warm-up, then a linear fall to 0."""
    rising = round(steps * warmup)
    if step < rising:
        return (step + 1) / (rising + 1)
    return (steps - step) / max(1, steps - rising)


def set_rate(optimiser: "torch.optim.AdamW", share: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * share


def step_clipped(optimiser: "torch.optim.AdamW", largest_norm: float) -> None:
    """One step with the gradients scaled down to the norm, then without gradients."""
    import torch

    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    torch.nn.utils.clip_grad_norm_(parameters, largest_norm)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
