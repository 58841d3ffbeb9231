"""Text regression put to an encoder: one output, learnt in the unit that the task's settings say."""

from typing import Any

import numpy as np
import pyarrow as pa

from tunegate.errors import UserError
from tunegate.task import Head, Targets, TaskOptions, TextTokenizer
from tunegate.text.long_texts import text_windows
from tunegate.windows import Windows

HEAD = Head("AutoModelForSequenceClassification", outputs=("logits",), loss="mean_squared_error")
FARTHEST = 5.0  # spreads that scores may lie off on average: beyond, a head that starts near 0 learns the offset alone
NARROWEST = 0.01  # of a spread that scores must differ by: below, there is nothing that a loss could see


def head(options: TaskOptions) -> Head:
    return HEAD


def head_options(labels: list[str], options: TaskOptions) -> dict[str, Any]:
    return {"num_labels": 1, "problem_type": "regression"}


def encode(records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
    return text_windows(records, tokenizer, max_length, options)


def target(records: pa.Table, windows: Windows, labels: list[str], options: TaskOptions) -> Targets:
    """`labels`: float64 [windows], the score measured from `center` in `spread`.

    Raises UserError for a measure in which these scores cannot be learnt.
    """
    scores = np.asarray(records["score"].to_numpy(), dtype=np.float64)
    measured = (scores - options["center"]) / options["spread"]
    _refuse_measure(scores, measured, options)
    return Targets(rows={"labels": measured[windows.record]})


def _refuse_measure(scores: np.ndarray[Any, Any], measured: np.ndarray[Any, Any], options: TaskOptions) -> None:
    if not len(scores) or (np.abs(measured).mean() <= FARTHEST and not 0 < measured.std() < NARROWEST):
        return
    mean, deviation = scores.mean(), scores.std() or 1.0
    raise UserError(
        f"The scores (mean {mean:.4g}, standard deviation {deviation:.3g}) cannot be learnt in the measure set: "
        f"center {options['center']:g}, spread {options['spread']:g}.",
        f"Set options: {{center: {mean:.3g}, spread: {deviation:.3g}}} in params.yaml.",
    )
