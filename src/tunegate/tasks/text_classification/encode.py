"""Text classification put to an encoder: one window per record, or several of a long one, as the options say."""

from typing import Any

import pyarrow as pa

from tunegate.task import Head, Targets, TaskOptions, TextTokenizer
from tunegate.text.label_numbers import label_config, label_numbers
from tunegate.text.long_texts import text_windows
from tunegate.windows import Windows

HEAD = Head("AutoModelForSequenceClassification", outputs=("logits",), loss="cross_entropy")


def head(options: TaskOptions) -> Head:
    return HEAD


def head_options(labels: list[str], options: TaskOptions) -> dict[str, Any]:
    return {**label_config(labels), "problem_type": "single_label_classification"}


def encode(records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
    return text_windows(records, tokenizer, max_length, options)


def target(records: pa.Table, windows: Windows, labels: list[str], options: TaskOptions) -> Targets:
    """`labels`: int64 [windows]. Raises UserError for a label that the label file does not hold."""
    numbers = label_numbers(records["label"], labels, "labels")
    return Targets(rows={"labels": numbers[windows.record]})
