"""What is asked for outputs while training: the whole model, or what stands above its frozen layers."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tunegate.models.boundary import ROWS_TO_PROVE, Above, kept_states
from tunegate.models.compaction import compacted
from tunegate.progress import Progress
from tunegate.task import Head
from tunegate.training.batches import Examples, GroupedExamples, TokenExamples
from tunegate.training.compute import Compute
from tunegate.training.features import encode_once
from tunegate.training.loop import Data, Learner
from tunegate.training.loss import loss_named

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


def whole_model(model: "PreTrainedModel", new: Iterable[str], head: Head) -> Learner:
    """Every batch passes through all layers; `new` names the weights that start random and so belong to the head."""

    def answer(inputs: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        outputs = model(**inputs)
        return {name: outputs[name] for name in head.learnt or head.outputs}

    return Learner(model, _head_names(model, new), answer, loss_named(head.loss))


@dataclass(frozen=True)
class HeadAlone:
    """Head-only tuning over features that are kept in `folder`. `names` are the model's inputs."""

    model: "PreTrainedModel"
    new: tuple[str, ...]
    names: tuple[str, ...]
    compute: Compute
    folder: Path
    progress: Progress
    head: Head

    @contextmanager
    def learner(self, data: Data) -> Iterator[tuple[Learner, Data]]:
        """A learner of features and its data; of whole rows where a head reads more than the first position."""
        whole = whole_model(self.model, self.new, self.head)
        above = self._above(data.train)
        if above is None:
            self.progress.say("this head reads more than one state of a row: every epoch passes through the encoder")
            yield whole, data
            return
        features = replace(
            data,
            train=self._encode(data.train, "train"),
            validation=None if data.validation is None else self._encode(data.validation, "validation"),
        )
        with above.standing():
            yield replace(whole, answer=above.answer), features

    def _above(self, examples: Examples) -> Above | None:
        if not isinstance(examples, TokenExamples) or self.head.told:
            return None
        rows = np.arange(min(ROWS_TO_PROVE, len(examples.lengths)))
        inputs = examples.inputs(rows, self.compute.torch_device)
        above = Above(self.model, int(inputs["input_ids"][0, 0]), self.names, self.head.outputs)
        return above if above.is_exact(inputs) else None

    def _encode(self, examples: Examples, name: str) -> Examples:
        self.model.train(False)
        path = self.folder / f"features-{name}.npy"
        return encode_once(examples, lambda inputs: kept_states(self.model, inputs), self.compute, path, self.progress)


@contextmanager
def tokens_in_use(model: "PreTrainedModel", data: Data) -> Iterator[Data]:
    """The data, renumbered for a model whose embedding table is cut down, inside, to the tokens of these rows."""
    parts = [part for part in (data.train, data.validation) if part is not None]
    ids = [_tokens(part).windows.tokens["input_ids"] for part in parts]
    occurs = np.bincount(np.concatenate(ids)) > 0
    with compacted(model, occurs) as table:
        renumbered = [_renumbered(part, table) for part in parts]
        yield replace(data, train=renumbered[0], validation=renumbered[1] if data.validation is not None else None)


def _tokens(examples: Examples) -> TokenExamples:
    inner = examples.inner if isinstance(examples, GroupedExamples) else examples
    if not isinstance(inner, TokenExamples):
        raise TypeError("only rows of tokens can be renumbered")
    return inner


def _renumbered(examples: Examples, table: "NDArray[np.int64]") -> Examples:
    tokens = replace(_tokens(examples), renumbered=table)
    return replace(examples, inner=tokens) if isinstance(examples, GroupedExamples) else tokens


def _head_names(model: "PreTrainedModel", new: Iterable[str]) -> frozenset[str]:
    prefix = f"{model.base_model_prefix}."
    return frozenset(name for name, _ in model.named_parameters() if not name.startswith(prefix)) | frozenset(new)
