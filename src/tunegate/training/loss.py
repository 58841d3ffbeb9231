"""What is minimised, by name, and the weights of classes in it.

A loss is told as sums, so that a batch in parts and a validation set in batches give the same mean as in one piece.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tunegate.errors import UserError, did_you_mean
from tunegate.task import IGNORED

if TYPE_CHECKING:
    import torch

Tensors = dict[str, "torch.Tensor"]


@dataclass(frozen=True)
class Terms:
    """Sums over the positions that ask something, each a scalar on the device: the loss, what it is divided by (the
    positions' weights), positions answered right, and positions."""

    loss: "torch.Tensor"
    weight: "torch.Tensor"
    right: "torch.Tensor"
    asked: "torch.Tensor"


Loss = Callable[[Tensors, Tensors, "torch.Tensor | None"], list[Terms]]
"""The model's outputs, the targets and class weights (float32 [c] or None) to the parts of a loss, the main one first:
the loss is the sum of the parts' means."""


def loss_named(name: str) -> Loss:
    """Raises UserError for a name that no loss has."""
    if name not in LOSSES:
        raise UserError(
            f'There is no loss "{name}".{did_you_mean(name, LOSSES)}', f"Choose one of: {', '.join(LOSSES)}."
        )
    return LOSSES[name]


def mean(parts: list[Terms]) -> "torch.Tensor":
    """What is minimised. A part that asks nothing in this batch counts nothing."""
    means = [part.loss / part.weight.clamp(min=1e-12) for part in parts]
    total = means[0]
    for other in means[1:]:
        total = total + other
    return total


def cross_entropy(outputs: Tensors, targets: Tensors, class_weights: "torch.Tensor | None") -> list[Terms]:
    """`logits` [b, c] or [b, l, c] against `labels` [b] or [b, l], in float32; a label of -100 counts nothing."""
    return [_cross_entropy(outputs["logits"], targets["labels"], class_weights)]


def binary_cross_entropy(outputs: Tensors, targets: Tensors, class_weights: "torch.Tensor | None") -> list[Terms]:
    """`logits` [b, c], each its own yes or no, against `labels` [b, c] of 0 and 1; a position is one of the b x c."""
    from torch.nn import functional

    logits, labels = outputs["logits"].float(), targets["labels"].float()
    losses = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    weights = logits.new_ones(logits.shape) if class_weights is None else class_weights.expand_as(logits)
    right = ((logits > 0) == (labels > 0.5)).sum()
    return [Terms((losses * weights).sum(), weights.sum(), right, labels.new_tensor(labels.numel()))]


def mean_squared_error(outputs: Tensors, targets: Tensors, class_weights: "torch.Tensor | None") -> list[Terms]:
    """`logits` [b, 1] against `labels` float32 [b]; right is what lies within half a unit."""
    distances = outputs["logits"].float().squeeze(-1) - targets["labels"].float()
    asked = distances.new_tensor(distances.numel())
    return [Terms((distances**2).sum(), asked, (distances.abs() < 0.5).sum(), asked)]


def span(outputs: Tensors, targets: Tensors, class_weights: "torch.Tensor | None") -> list[Terms]:
    """`start_logits` and `end_logits` [b, l] against `start` and `end` [b] (BERT, Devlin et al. 2019, section 4.2):
    half the sum of both; right is where both are."""
    start = _cross_entropy(outputs["start_logits"], targets["start"], None)
    end = _cross_entropy(outputs["end_logits"], targets["end"], None)
    both = (outputs["start_logits"].argmax(-1) == targets["start"]) & (
        outputs["end_logits"].argmax(-1) == targets["end"]
    )
    return [Terms((start.loss + end.loss) / 2, start.weight, both.sum(), start.asked)]


def choice(outputs: Tensors, targets: Tensors, class_weights: "torch.Tensor | None") -> list[Terms]:
    """`logits` [w, 1], a score for each window (option) of the batch's records, against `labels` [r], the number of
    each record's right option; `record` [w] says whose option a window is. Softmax over a record's options."""
    scores, record, labels = outputs["logits"].float().squeeze(-1), targets["record"], targets["labels"]
    counts = record.bincount(minlength=len(labels))
    table = scores.new_full((len(labels), int(targets["options"])), float("-inf"))
    place = _places(record, counts)
    table = table.index_put((record, place), scores)
    return [_cross_entropy(table, labels, None)]


def choice_of_places(outputs: Tensors, targets: Tensors, class_weights: "torch.Tensor | None") -> list[Terms]:
    """`logits` [b, l, 1] against `place` [b], the position that is right (IGNORED: none of them is): softmax over the
    positions of which `options` [b, l] is 1."""
    scores = outputs["logits"].float().squeeze(-1).masked_fill(targets["options"] != 1, float("-inf"))
    return [_cross_entropy(scores, targets["place"], None)]


def masked_words(outputs: Tensors, targets: Tensors, class_weights: "torch.Tensor | None") -> list[Terms]:
    """Masked words (`logits` or `prediction_logits` [b, l, v], or [m, v] of just what is asked, against `words` [b, l])
    and, where the targets ask for it, the order of
    sentences (`order_logits` [b, 2] against `order` [b]): the sum, as in BERT and ALBERT."""
    words = outputs["prediction_logits"] if "prediction_logits" in outputs else outputs["logits"]
    asked = targets["words"] != IGNORED  # the vocabulary is wide: only what is asked is made float32
    parts = [_cross_entropy(words if words.ndim == 2 else words[asked], targets["words"][asked], None)]
    if "order" in targets:
        parts.append(_cross_entropy(outputs["order_logits"], targets["order"], None))
    return parts


def arcs(outputs: Tensors, targets: Tensors, class_weights: "torch.Tensor | None") -> list[Terms]:
    """`arcs` [b, l, l] against `heads` [b, l], the position that each hangs on: softmax over the other positions of
    which `candidates` [b, l] is 1 (Dozat and Manning 2017, section 2.2); and the `relation_logits` [b, l, r] of those
    pairs against `relations` [b, l]."""
    import torch

    scores, candidates = outputs["arcs"].float(), targets["candidates"] == 1
    own = torch.eye(scores.shape[-1], dtype=torch.bool, device=scores.device)
    possible = scores.masked_fill(own | ~candidates[:, None, :], float("-inf"))
    asked = targets["heads"] != IGNORED  # positions without a question may have no candidate either
    return [
        _cross_entropy(possible[asked], targets["heads"][asked], None),
        _cross_entropy(outputs["relation_logits"], targets["relations"], None),
    ]


LOSSES: dict[str, Loss] = {
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "mean_squared_error": mean_squared_error,
    "span": span,
    "choice": choice,
    "choice_of_places": choice_of_places,
    "masked_words": masked_words,
    "arcs": arcs,
}


def _cross_entropy(logits: "torch.Tensor", labels: "torch.Tensor", class_weights: "torch.Tensor | None") -> Terms:
    from torch.nn import functional

    flat, wanted = logits.float().reshape(-1, logits.shape[-1]), labels.reshape(-1)
    asked = wanted != IGNORED
    losses = functional.cross_entropy(flat, wanted, class_weights, ignore_index=IGNORED, reduction="sum")
    weights = asked.float() if class_weights is None else class_weights[wanted.clamp(min=0)] * asked
    right = (flat.argmax(dim=-1) == wanted) & asked
    return Terms(losses, weights.sum(), right.sum(), asked.sum())


def _places(record: "torch.Tensor", counts: "torch.Tensor") -> "torch.Tensor":
    """Each window's place among its record's, int64 [w]."""
    import torch

    firsts = counts.cumsum(0) - counts
    return torch.arange(len(record), device=record.device) - firsts[record]


def balanced_weights(labels: NDArray[np.int64], weights: NDArray[np.float64], classes: int) -> NDArray[np.float32]:
    """n / (classes * n_c) for each class c, rows counted as often as they are drawn; 1 for a class without rows.

    King and Zeng (2001), as scikit-learn's `class_weight="balanced"`.
    """
    repeats = np.broadcast_to(weights.reshape(-1, *[1] * (labels.ndim - 1)), labels.shape)[labels != IGNORED]
    counts = np.bincount(labels[labels != IGNORED], weights=repeats, minlength=classes)
    with np.errstate(divide="ignore"):
        return np.where(counts > 0, counts.sum() / (classes * counts), 1.0).astype(np.float32)
