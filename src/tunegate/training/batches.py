"""Which rows make which batch, and the batch as tensors. Order is a function of seed and epoch alone.

Rows are drawn by weight, shuffled, sorted by length within pools of 50 batches, cut into batches, and the batches
shuffled: rows of like length meet (little padding), and no two epochs see the same batches.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tunegate.task import IGNORED, Targets
from tunegate.windows import Arrays, Windows, length_sorted_batches

if TYPE_CHECKING:
    import torch

POOL_BATCHES = 50  # as in transformers' group_by_length: long enough to group well, short enough to stay random
EVALUATION_TOKENS = 8192  # padded tokens per batch without gradients: a few MB of activations per layer


class Examples(Protocol):
    """Rows that a model learns from: tokens per row int64 [n], and how often each is drawn float64 [n]."""

    @property
    def lengths(self) -> NDArray[np.int64]: ...

    @property
    def weights(self) -> NDArray[np.float64]: ...

    def inputs(self, chosen: NDArray[np.int64], device: "torch.device") -> "dict[str, torch.Tensor]":
        """The chosen rows as the model's named arguments, [b, l] each."""

    def targets(self, chosen: NDArray[np.int64], device: "torch.device") -> "dict[str, torch.Tensor]":
        """What the loss compares the outputs with, by name."""


@dataclass(frozen=True)
class TokenExamples:
    """Examples that the whole model reads: padded windows."""

    windows: Windows
    said: Targets
    weights: NDArray[np.float64]
    names: tuple[str, ...]  # the arguments that the model takes
    pad: Mapping[str, int]
    multiple: int  # lengths are padded to multiples of this
    renumbered: NDArray[np.int64] | None = None  # token id to its number in a table cut down to what occurs
    told: tuple[str, ...] = ()  # targets of tokens that the model reads too
    anew: Callable[[Windows, int], tuple[Windows, Arrays]] | None = None  # what a seed makes of windows, and targets
    seed: int | None = None  # of what they are made anew with; None: as they are

    def of_epoch(self, seed: int, epoch: int) -> "TokenExamples":
        """The rows as they are in this epoch."""
        if self.anew is None:
            return self
        return replace(self, seed=int(np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)[0] >> 2))

    @property
    def lengths(self) -> NDArray[np.int64]:
        return self.windows.lengths

    def inputs(self, chosen: NDArray[np.int64], device: "torch.device") -> "dict[str, torch.Tensor]":
        shown, rows = self._shown(chosen)
        arrays = shown.windows.batch(rows, self.pad, self.multiple)
        if self.renumbered is not None:
            arrays["input_ids"] = self.renumbered[arrays["input_ids"]]
        told = {name: shown._padded(name, rows) for name in self.told}
        return as_tensors({name: arrays[name] for name in self.names} | told, device)

    def targets(self, chosen: NDArray[np.int64], device: "torch.device") -> "dict[str, torch.Tensor]":
        rows: Arrays = {name: array[chosen] for name, array in self.said.rows.items()}
        shown, numbers = self._shown(chosen)
        tokens: Arrays = {name: shown._padded(name, numbers) for name in self.said.tokens}
        return as_tensors(rows | tokens, device)

    def _shown(self, chosen: NDArray[np.int64]) -> "tuple[TokenExamples, NDArray[np.int64]]":
        """Examples that hold the chosen rows as they are shown now, and their numbers there."""
        if self.anew is None or self.seed is None:
            return self, chosen
        windows, tokens = self.anew(self.windows.take(chosen), self.seed)
        said = Targets(tokens=tokens)
        return replace(self, windows=windows, said=said, seed=None), np.arange(len(chosen))

    def _padded(self, name: str, chosen: NDArray[np.int64]) -> Any:
        return self.windows.padded(self.said.tokens[name], chosen, IGNORED, self.multiple)


@dataclass(frozen=True)
class GroupedExamples:
    """Examples of which each is a record with all its windows (the options of a choice), weighed against each other.

    `starts` [n + 1]: record r's windows are those from `starts[r]` up to `starts[r + 1]`; none is without. Targets are
    the first window's rows, `record` [w] (whose window it is, in the batch) and `options` (the most that one has).
    """

    inner: TokenExamples
    starts: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """All tokens of a record, so that batches of like cost meet."""
        return np.add.reduceat(self.inner.lengths, self.starts[:-1])

    @property
    def weights(self) -> NDArray[np.float64]:
        return self.inner.weights[self.starts[:-1]]

    def inputs(self, chosen: NDArray[np.int64], device: "torch.device") -> "dict[str, torch.Tensor]":
        return self.inner.inputs(self._windows(chosen), device)

    def targets(self, chosen: NDArray[np.int64], device: "torch.device") -> "dict[str, torch.Tensor]":
        counts = np.diff(self.starts)[chosen]
        rows: Arrays = {name: array[self.starts[chosen]] for name, array in self.inner.said.rows.items()}
        beside: Arrays = {
            "record": np.repeat(np.arange(len(chosen)), counts),
            "options": np.asarray(counts.max(initial=1), dtype=np.int64),
        }
        return as_tensors(rows | beside, device)

    def _windows(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        counts = np.diff(self.starts)[chosen]
        firsts = np.repeat(self.starts[chosen] - (np.cumsum(counts) - counts), counts)
        return np.asarray(firsts + np.arange(int(counts.sum())), dtype=np.int64)


def grouped(examples: TokenExamples, records: int) -> GroupedExamples:
    """The windows by their records; one without windows teaches nothing and is left out."""
    starts = examples.windows.starts(records)
    return GroupedExamples(examples, np.concatenate([starts[:-1][np.diff(starts) > 0], starts[-1:]]))


def as_tensors(arrays: Arrays, device: "torch.device") -> "dict[str, torch.Tensor]":
    """Named tensors on the device; from pinned memory to a GPU, so that the copy need not be waited for."""
    import torch

    tensors = {name: torch.from_numpy(np.asarray(array)) for name, array in arrays.items()}
    if device.type == "cpu":
        return tensors
    return {name: tensor.pin_memory().to(device, non_blocking=True) for name, tensor in tensors.items()}


def of_epoch(examples: Examples, seed: int, epoch: int) -> Examples:
    """The examples as they are in this epoch: the same, unless they are made anew."""
    return examples.of_epoch(seed, epoch) if isinstance(examples, TokenExamples) else examples


def steps_per_epoch(weights: NDArray[np.float64], batch_size: int) -> int:
    return -(-_drawn(weights) // batch_size)


def epoch_batches(examples: Examples, batch_size: int, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """Row numbers per batch."""
    random = np.random.default_rng((seed, epoch))
    lengths = examples.lengths
    rows = random.permutation(draw_rows(examples.weights, random))
    pool = POOL_BATCHES * batch_size
    batches = []
    for start in range(0, len(rows), pool):
        pooled = rows[start : start + pool]
        ordered = pooled[np.argsort(lengths[pooled], kind="stable")]
        batches += [ordered[first : first + batch_size] for first in range(0, len(ordered), batch_size)]
    return [batches[number] for number in random.permutation(len(batches))]


def draw_rows(weights: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.int64]:
    """Each row floor(weight) or ceil(weight) times, weight times on average; always round(sum) rows in all.

    Systematic sampling: a comb of equal teeth with one random offset laid over the cumulated weights.
    """
    count = _drawn(weights)
    if bool((weights == 1).all()):
        return np.arange(len(weights))
    edges = np.cumsum(weights)
    teeth = (np.arange(count) + random.random()) * (edges[-1] / count)
    rows: NDArray[np.int64] = np.minimum(np.searchsorted(edges, teeth, side="right"), len(weights) - 1)
    return rows


def evaluation_batches(examples: Examples) -> list[NDArray[np.int64]]:
    return length_sorted_batches(examples.lengths, EVALUATION_TOKENS)


def _drawn(weights: NDArray[np.float64]) -> int:
    return max(1, round(float(weights.sum())))
