"""AdamW in groups, the schedule of its rate, and clipping."""

import math
from typing import TYPE_CHECKING, Any, cast

from tunegate.models.freezing import depths
from tunegate.train_settings import TrainSettings

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedModel

BETAS = (0.9, 0.999)
EPSILON = 1e-8


def make_optimiser(model: "nn.Module", head_names: frozenset[str], settings: TrainSettings) -> "torch.optim.AdamW":
    """Fused AdamW over what is trained. Biases and norms do not decay (Devlin et al. 2019, appendix A.2)."""
    import torch

    shares = _shares_by_depth(model, settings.layer_decay)
    groups: dict[tuple[bool, float, bool], dict[str, Any]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        in_head, share, decays = name in head_names, shares.get(name, 1.0), parameter.ndim > 1
        peak = (
            settings.head_learning_rate if in_head and settings.head_learning_rate else settings.learning_rate * share
        )
        decay = settings.weight_decay if decays else 0.0
        group = {"params": [], "peak": peak, "lr": peak, "weight_decay": decay}
        groups.setdefault((in_head, -share, not decays), group)["params"].append(parameter)
    return torch.optim.AdamW([groups[key] for key in sorted(groups)], betas=BETAS, eps=EPSILON, fused=True)


def _shares_by_depth(model: "nn.Module", decay: float) -> dict[str, float]:
    """The share of the rate that each parameter learns at: 1 above the layers and in the top one, `decay` in the next,
    and so on down to the embeddings (Sun et al. 2019, section 5.3.2). Empty where all learn alike."""
    if decay == 1:
        return {}
    places = depths(cast("PreTrainedModel", model), "layer_decay")
    top = max(places.values()) - 1
    return {name: decay ** max(0, top - place) for name, place in places.items()}


def schedule(step: int, steps: int, warmup: float, kind: str = "linear") -> float:
    """The share of the peak rate at a step (from 0): a linear rise over the warm-up, then a fall to 0, linear or along
    half a cosine (Loshchilov and Hutter 2017, without restarts)."""
    rising = round(steps * warmup)
    if step < rising:
        return (step + 1) / (rising + 1)
    if kind == "cosine":
        return (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising))) / 2
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
