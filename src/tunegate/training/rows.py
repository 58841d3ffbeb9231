"""Tables and windows as the examples that the loop learns from: the one module here that knows tasks and files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunegate.errors import UserError
from tunegate.records import read_table
from tunegate.task import TextTokenizer
from tunegate.tasks import encoding_of
from tunegate.training.batches import Examples, GroupedExamples, TokenExamples, grouped
from tunegate.training.loss import balanced_weights
from tunegate.window_files import load_windows


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
        examples = TokenExamples(found, said, weights, self.names, self.tokenizer.pad, self.multiple)
        return examples if encoding.HEAD.learns_from == "window" else grouped(examples, len(records))

    def balanced(self, train: Examples) -> NDArray[np.float32]:
        """A weight per class. Raises UserError for a task that does not choose among classes."""
        if encoding_of(self.task).HEAD.loss != "cross_entropy" or isinstance(train, GroupedExamples):
            raise UserError(
                f"train.class_weights: {self.task} does not choose one of some classes.",
                "Take train.class_weights out.",
            )
        assert isinstance(train, TokenExamples)
        if "labels" in train.said.tokens:
            classes = train.said.tokens["labels"].astype(np.int64)
            drawn = np.repeat(train.weights, train.windows.lengths).astype(np.float64)
        else:
            classes, drawn = train.said.rows["labels"].astype(np.int64), train.weights
        return balanced_weights(classes, drawn, len(self.labels))
