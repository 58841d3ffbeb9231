"""A review as one window, cut at the model's length."""

from typing import Any

import numpy as np
import pyarrow as pa

from tunegate.task import Head, Targets, TaskOptions, TextTokenizer
from tunegate.text.tokens import whole_text_windows
from tunegate.windows import Windows

MOST = 5


def head(options: TaskOptions) -> Head:
    return Head("AutoModelForSequenceClassification", outputs=("logits",), loss="cross_entropy")


def head_options(labels: list[str], options: TaskOptions) -> dict[str, Any]:
    return {"num_labels": MOST, "problem_type": "single_label_classification"}


def encode(records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
    return whole_text_windows(records["review"], None, tokenizer, max_length)


def target(records: pa.Table, windows: Windows, labels: list[str], options: TaskOptions) -> Targets:
    numbers = np.asarray(records["stars"].to_numpy(), dtype=np.int64) - 1
    return Targets(rows={"labels": numbers[windows.record]})
