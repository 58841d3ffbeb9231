"""Tables and windows as the examples that the loop learns from: the one module here that knows tasks and files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunegate.errors import UserError, did_you_mean
from tunegate.records import read_table
from tunegate.task import TextTokenizer
from tunegate.tasks import encoding_of, refresh_of
from tunegate.train_settings import TrainSettings
from tunegate.training.batches import Examples, GroupedExamples, TokenExamples, grouped
from tunegate.training.loss import balanced_weights
from tunegate.window_files import load_windows
from tunegate.windows import Arrays, Windows


@dataclass(frozen=True)
class TaskRows:
    """How a task's rows are read. `names` are the arguments that the model takes."""

    task: str
    options: Mapping[str, Any]
    labels: list[str]
    tokenizer: TextTokenizer
    names: tuple[str, ...]
    multiple: int

    def examples(self, table: Path, windows: Path) -> Examples:
        """By records, where a record's windows are weighed against each other."""
        encoding = encoding_of(self.task)
        records, found = read_table(table), load_windows(windows)
        said = encoding.target(records, found, self.labels, self.options)
        weights = records["weight"].to_numpy().astype(np.float64)[found.record]
        head = encoding.head(self.options)
        pad, multiple = self.tokenizer.pad, self.multiple
        examples = TokenExamples(found, said, weights, self.names, pad, multiple, told=head.told, anew=self._anew())
        return examples if head.learns_from == "window" else grouped(examples, len(records))

    def _anew(self) -> Callable[[Windows, int], tuple[Windows, Arrays]] | None:
        refresh = refresh_of(encoding_of(self.task))
        if refresh is None:
            return None
        return lambda windows, seed: refresh(windows, seed, self.tokenizer, self.options)

    def class_weights(self, train: Examples, settings: TrainSettings) -> NDArray[np.float32] | None:
        """As the settings want them. Raises UserError for a task that does not choose among classes, and for a label
        that there is not."""
        setting = "label_weights" if settings.label_weights else "class_weights"
        if setting == "class_weights" and settings.class_weights == "none":
            return None
        loss = encoding_of(self.task).head(self.options).loss
        if loss not in ("cross_entropy", "binary_cross_entropy") or isinstance(train, GroupedExamples):
            raise UserError(f"train.{setting}: {self.task} does not choose among labels.", f"Take train.{setting} out.")
        if settings.label_weights:
            return self._given(settings.label_weights)
        assert isinstance(train, TokenExamples)
        if loss == "binary_cross_entropy":  # a row is drawn once for each label that it has
            rows, held = np.nonzero(train.said.rows["labels"])
            return balanced_weights(held, train.weights[rows], len(self.labels))
        if "labels" in train.said.tokens:
            classes = train.said.tokens["labels"].astype(np.int64)
            drawn = np.repeat(train.weights, train.windows.lengths).astype(np.float64)
        else:
            classes, drawn = train.said.rows["labels"].astype(np.int64), train.weights
        return balanced_weights(classes, drawn, len(self.labels))

    def _given(self, wanted: Mapping[str, float]) -> NDArray[np.float32]:
        if unknown := [label for label in wanted if label not in self.labels]:
            raise UserError(
                f'train.label_weights names "{unknown[0]}", which is no label.{did_you_mean(unknown[0], self.labels)}',
                f"The labels are: {', '.join(self.labels[:20])}{', ...' if len(self.labels) > 20 else ''}.",
            )
        return np.array([wanted.get(label, 1.0) for label in self.labels], dtype=np.float32)
