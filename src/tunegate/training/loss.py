"""What is minimised, and the weights of classes in it."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

IGNORED = -100  # the label of a position that asks nothing, as in torch's cross entropy


def cross_entropy(
    logits: "torch.Tensor", labels: "torch.Tensor", class_weights: "torch.Tensor | None"
) -> "torch.Tensor":
    """Weighted mean over [b, c] or [b, l, c] logits, computed in float32; positions labelled -100 count for nothing."""
    from torch.nn import functional

    flat = logits.float().reshape(-1, logits.shape[-1])
    return functional.cross_entropy(flat, labels.reshape(-1), class_weights, ignore_index=IGNORED)


def balanced_weights(labels: NDArray[np.int64], weights: NDArray[np.float64], classes: int) -> NDArray[np.float32]:
    """n / (classes * n_c) for each class c, rows counted as often as they are drawn; 1 for a class without rows.

    King and Zeng (2001), as scikit-learn's `class_weight="balanced"`.
    """
    repeats = np.broadcast_to(weights.reshape(-1, *[1] * (labels.ndim - 1)), labels.shape)[labels != IGNORED]
    counts = np.bincount(labels[labels != IGNORED], weights=repeats, minlength=classes)
    with np.errstate(divide="ignore"):
        return np.where(counts > 0, counts.sum() / (classes * counts), 1.0).astype(np.float32)
