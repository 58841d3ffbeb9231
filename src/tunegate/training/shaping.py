"""Losses for training that are not what is judged: smoothed, focal, and the two passes of R-Drop.

They are for choices among classes; validation rows are scored by the plain loss, so that runs can be compared.
"""

from typing import TYPE_CHECKING

from tunegate.errors import UserError
from tunegate.task import IGNORED
from tunegate.train_settings import TrainSettings
from tunegate.training.loss import Loss, Tensors, Terms

if TYPE_CHECKING:
    import torch

SHAPED = "cross_entropy"  # the one loss, by its name in LOSSES, that has these forms


def shaped_loss(plain: Loss, name: str, settings: TrainSettings) -> Loss:
    """What is minimised; the plain loss where nothing is set. Raises UserError where the loss has no such form."""
    wanted = [setting for setting in ("label_smoothing", "focal_gamma", "r_drop") if getattr(settings, setting) > 0]
    if wanted and name != SHAPED:
        raise UserError(
            f"train.{wanted[0]}: this task does not choose one of some classes.", f"Take train.{wanted[0]} out."
        )
    if not (settings.label_smoothing or settings.focal_gamma):
        return plain

    def loss(outputs: Tensors, targets: Tensors, class_weights: "torch.Tensor | None") -> list[Terms]:
        logits, labels, asked = _asked(outputs["logits"], targets["labels"])
        return [_shaped(logits, labels, asked, class_weights, settings)]

    return loss


def _shaped(
    logits: "torch.Tensor",
    labels: "torch.Tensor",
    asked: "torch.Tensor",
    class_weights: "torch.Tensor | None",
    settings: TrainSettings,
) -> Terms:
    """Label smoothing (Szegedy et al. 2016, section 7), each row's factor (1 - p)^gamma (Lin et al. 2017)."""
    log_shares = logits.log_softmax(dim=-1)
    right = log_shares.gather(-1, labels.clamp(min=0)[:, None]).squeeze(-1)
    smoothing = settings.label_smoothing
    losses = -((1 - smoothing) * right + smoothing * log_shares.mean(dim=-1))
    if settings.focal_gamma:
        losses = losses * (1 - right.exp()).clamp(min=0) ** settings.focal_gamma
    weights = asked.float() if class_weights is None else class_weights[labels.clamp(min=0)] * asked
    hits = (logits.argmax(dim=-1) == labels) & asked
    return Terms((losses * weights).sum(), weights.sum(), hits.sum(), asked.sum())


def both_passes(first: list[Terms], second: list[Terms], distance: Terms) -> list[Terms]:
    """R-Drop (Wu et al. 2021): the mean of two passes' losses, and how far apart the passes are."""
    halves = [
        Terms((one.loss + other.loss) / 2, one.weight, one.right, one.asked)
        for one, other in zip(first, second, strict=True)
    ]
    return [*halves, distance]


def distance(first: Tensors, second: Tensors, targets: Tensors, weight: float) -> Terms:
    """`weight` times the mean of both Kullback-Leibler divergences between two passes' answers."""
    one, _, asked = _asked(first["logits"], targets["labels"])
    other, _, _ = _asked(second["logits"], targets["labels"])
    one, other = one.log_softmax(dim=-1), other.log_softmax(dim=-1)
    both = ((one.exp() - other.exp()) * (one - other)).sum(dim=-1) / 2  # KL(p|q) + KL(q|p), halved
    count = asked.sum()
    return Terms(weight * (both * asked).sum(), count.float(), count * 0, count)


def _asked(logits: "torch.Tensor", labels: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
    """Logits float32 [m, c], labels [m], and which of them ask something."""
    flat = labels.reshape(-1)
    return logits.float().reshape(-1, logits.shape[-1]), flat, flat != IGNORED
