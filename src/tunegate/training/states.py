"""Partial tuning: frozen layers see each row once, and those above them learn from what was kept of its tokens.

A frozen layer is a fixed function (it runs without dropout), so what it gives in the second epoch is what it gave in
the first. Kept on disk and read as a memory map, up to a size; beyond that every epoch passes through all layers.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tunegate.models.boundary import ROWS_TO_PROVE, UpperLayers, hidden_states
from tunegate.progress import Progress
from tunegate.training.batches import Examples, TokenExamples, as_tensors, evaluation_batches
from tunegate.training.compute import Compute
from tunegate.training.kept import kept_array
from tunegate.training.loop import Data, Learner

if TYPE_CHECKING:
    import torch

MOST_BYTES = 4 << 30  # 100,000 rows of 27 tokens in a BERT-base
DISK_SHARE = 2  # so many times the bytes must be free


@dataclass(frozen=True)
class StateExamples:
    """`origin`'s rows, with what the frozen layers gave for their tokens: `states`, float32 [t, h], flat as those."""

    states: NDArray[np.float32]
    origin: TokenExamples

    @property
    def lengths(self) -> NDArray[np.int64]:
        return self.origin.lengths

    @property
    def weights(self) -> NDArray[np.float64]:
        return self.origin.weights

    def inputs(self, chosen: NDArray[np.int64], device: "torch.device") -> "dict[str, torch.Tensor]":
        """As the origin's, and `states` [b, l, h], zeros where nothing stands."""
        inputs = self.origin.inputs(chosen, device)
        rows, width = inputs["attention_mask"].shape if "attention_mask" in inputs else inputs["input_ids"].shape
        padded = np.zeros((rows, width, self.states.shape[1]), dtype=np.float32)
        offsets = self.origin.windows.offsets
        for row, window in enumerate(chosen.tolist()):
            first, last = offsets[window], offsets[window + 1]
            padded[row, : last - first] = self.states[first:last]
        return inputs | as_tensors({"states": padded}, device)

    def targets(self, chosen: NDArray[np.int64], device: "torch.device") -> "dict[str, torch.Tensor]":
        return self.origin.targets(chosen, device)


@dataclass(frozen=True)
class KeptStates:
    """Makes a learner of the layers above `frozen` from one of the whole model. Files go to `folder`."""

    whole: Learner
    outputs: tuple[str, ...]
    frozen: int
    compute: Compute
    folder: Path
    progress: Progress

    @contextmanager
    def learner(self, data: Data) -> Iterator[tuple[Learner, Data]]:
        """A learner of kept states and its data; of whole rows where they cannot be kept."""
        parts = [part for part in (data.train, data.validation) if part is not None]
        above = UpperLayers(self.whole.model, self.frozen, self.outputs)  # type: ignore[arg-type]
        if not all(map(_stay, parts)) or not self._there_is_room(parts):
            yield self.whole, data
            return
        first = parts[0].inputs(np.arange(min(ROWS_TO_PROVE, len(parts[0].lengths))), self.compute.torch_device)
        if not above.is_exact(first):
            yield self.whole, data
            return
        kept = replace(
            data,
            train=self._kept(data.train, "train"),
            validation=None if data.validation is None else self._kept(data.validation, "validation"),
        )
        with above.standing():
            yield replace(self.whole, answer=above.answer), kept

    def _there_is_room(self, parts: list[Examples]) -> bool:
        size = sum(int(part.lengths.sum()) for part in parts) * self._width * 4
        self.folder.mkdir(parents=True, exist_ok=True)
        fits = size <= MOST_BYTES and (
            size * DISK_SHARE <= shutil.disk_usage(self.folder).free or self._path("train").is_file()
        )
        if not fits:
            self.progress.say(
                f"what the frozen layers give would take {size / 1e9:.1f} GB: every epoch passes through them"
            )
        return fits

    @property
    def _width(self) -> int:
        return int(self.whole.model.config.hidden_size)  # type: ignore[union-attr, arg-type]

    def _path(self, name: str) -> Path:
        return self.folder / f"states-{name}.npy"

    def _kept(self, examples: Examples, name: str) -> StateExamples:
        assert isinstance(examples, TokenExamples)

        def write(unfinished: Path) -> None:
            self._write(examples, unfinished)

        states = kept_array(self._path(name), write, self.compute, self.progress, "what the frozen layers give is")
        return StateExamples(states, examples)

    def _write(self, examples: TokenExamples, path: Path) -> None:
        model = self.whole.model
        model.train(False)
        offsets = examples.windows.offsets
        states = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(int(offsets[-1]), self._width))
        done = 0
        for chosen in evaluation_batches(examples):
            inputs = examples.inputs(chosen, self.compute.torch_device)
            hidden = hidden_states(model, inputs, self.frozen - 1).float().cpu().numpy()  # type: ignore[arg-type]
            for row, window in enumerate(chosen.tolist()):
                first, last = offsets[window], offsets[window + 1]
                states[first:last] = hidden[row, : last - first]
            done += len(chosen)
            self.progress.advance("rows through the frozen layers", done, len(examples.lengths))
        states.flush()


def _stay(examples: Examples) -> bool:
    """Whether rows are the same in every epoch, one by one."""
    return isinstance(examples, TokenExamples) and examples.anew is None
