"""Multi-label classification put to an encoder: every label is asked by itself, yes or no, of the same windows."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunegate.task import Head, Targets, TaskOptions, TextTokenizer
from tunegate.text.label_numbers import label_config, label_numbers
from tunegate.text.long_texts import text_windows
from tunegate.windows import Windows

HEAD = Head("AutoModelForSequenceClassification", outputs=("logits",), loss="binary_cross_entropy")


def head(options: TaskOptions) -> Head:
    return HEAD


def head_options(labels: list[str], options: TaskOptions) -> dict[str, Any]:
    return {**label_config(labels), "problem_type": "multi_label_classification"}


def encode(records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
    return text_windows(records, tokenizer, max_length, options)


def target(records: pa.Table, windows: Windows, labels: list[str], options: TaskOptions) -> Targets:
    """`labels`: float32 [windows, labels], 1 where the label holds.

    Raises UserError for a label that the label file does not hold.
    """
    sets = records["labels"].combine_chunks()
    numbers = label_numbers(sets.flatten(), labels, "labels")
    wanted = np.zeros((len(records), len(labels)), dtype=np.float32)
    wanted[np.asarray(pc.list_parent_indices(sets)), numbers] = 1
    return Targets(rows={"labels": wanted[windows.record]})
