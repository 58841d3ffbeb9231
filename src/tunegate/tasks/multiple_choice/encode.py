"""Multiple choice put to an encoder: each option in a window of its own, or all of them side by side in one."""

from typing import Any

import numpy as np
import pyarrow as pa

from tunegate.task import IGNORED, Head, Targets, TaskOptions, TextTokenizer
from tunegate.text.choice_windows import NO_OPTION, joint_windows, options_at, pairwise_windows
from tunegate.windows import Windows

# One score per window is what transformers' own multiple-choice heads compute, window by window.
PAIRWISE = Head(
    "AutoModelForSequenceClassification", outputs=("logits",), loss="choice", learns_from="record"
)  # fmt: skip
JOINT = Head("AutoModelForTokenClassification", outputs=("logits",), loss="choice_of_places")


def head(options: TaskOptions) -> Head:
    return PAIRWISE if options["form"] == "pairwise" else JOINT


def head_options(labels: list[str], options: TaskOptions) -> dict[str, Any]:
    return {"num_labels": 1}


def encode(records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
    windows = pairwise_windows if options["form"] == "pairwise" else joint_windows
    return windows(records, tokenizer, max_length)


def target(records: pa.Table, windows: Windows, labels: list[str], options: TaskOptions) -> Targets:
    """Pairwise: `labels` int64 [windows], the number of the record's right option.

    Joint: `place` int64 [windows], where in the window the right option begins (IGNORED where another window holds it),
    among the places that `options` (int64 [tokens]) marks with 1.
    """
    right = np.asarray(records["answer"].combine_chunks(), dtype=np.int64)[windows.record]
    if options["form"] == "pairwise":
        return Targets(rows={"labels": right})
    window, place, number = options_at(windows)
    wanted = np.full(len(windows), IGNORED, dtype=np.int64)
    hit = number == right[window]
    wanted[window[hit]] = place[hit]
    marks = np.where(windows.positions["option"] == NO_OPTION, IGNORED, 1).astype(np.int64)
    return Targets(rows={"place": wanted}, tokens={"options": marks})
