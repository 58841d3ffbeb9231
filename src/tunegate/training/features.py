"""Head-only tuning: each row is encoded once, and the head learns from what was kept."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tunegate.progress import Progress
from tunegate.training.batches import Examples, as_tensors, evaluation_batches
from tunegate.training.compute import Compute
from tunegate.training.kept import kept_array

if TYPE_CHECKING:
    import torch

Encode = Callable[["dict[str, torch.Tensor]"], "torch.Tensor"]
"""Named inputs to what is kept of each row, [b, h]."""


@dataclass(frozen=True)
class FeatureExamples:
    """`features`: float32 [n, h], what the head reads of each row; targets and weights are those of `origin`."""

    features: NDArray[np.float32]
    origin: Examples

    @property
    def lengths(self) -> NDArray[np.int64]:
        """One position each: nothing is padded, so nothing is grouped."""
        return np.ones(len(self.features), dtype=np.int64)

    @property
    def weights(self) -> NDArray[np.float64]:
        return self.origin.weights

    def inputs(self, chosen: NDArray[np.int64], device: "torch.device") -> "dict[str, torch.Tensor]":
        return as_tensors({"hidden": self.features[chosen]}, device)

    def targets(self, chosen: NDArray[np.int64], device: "torch.device") -> "dict[str, torch.Tensor]":
        return self.origin.targets(chosen, device)


def encode_once(
    examples: Examples, encode: Encode, compute: Compute, path: Path, progress: Progress
) -> FeatureExamples:
    """The rows' features, kept in `path`."""

    def write(unfinished: Path) -> None:
        _write(examples, encode, compute, unfinished, progress)

    return FeatureExamples(kept_array(path, write, compute, progress, "the rows' features are"), examples)


def _write(examples: Examples, encode: Encode, compute: Compute, path: Path, progress: Progress) -> None:
    features: Any = None  # a memory map, once its width is known
    done = 0
    for chosen in evaluation_batches(examples):
        hidden = encode(examples.inputs(chosen, compute.torch_device)).float().cpu().numpy()
        if features is None:
            shape = (len(examples.lengths), hidden.shape[1])
            features = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        features[chosen] = hidden
        done += len(chosen)
        progress.advance("rows encoded", done, len(examples.lengths))
    if features is not None:
        features.flush()
