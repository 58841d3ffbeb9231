"""Multi-label classification put to an encoder: every label is asked by itself, yes or no, of the same windows."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunegate.errors import UserError
from tunegate.task import Head, Targets, TaskOptions, TextTokenizer
from tunegate.text.long_texts import text_windows
from tunegate.windows import Windows

HEAD = Head("AutoModelForSequenceClassification", outputs=("logits",), loss="binary_cross_entropy")


def head(options: TaskOptions) -> Head:
    return HEAD


def head_options(labels: list[str], options: TaskOptions) -> dict[str, Any]:
    return {
        "num_labels": len(labels),
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
        "problem_type": "multi_label_classification",
    }


def encode(records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
    return text_windows(records, tokenizer, max_length, options)


def target(records: pa.Table, windows: Windows, labels: list[str], options: TaskOptions) -> Targets:
    """`labels`: float32 [windows, labels], 1 where the label holds.

    Raises UserError for a label that the label file does not hold.
    """
    sets = records["labels"].combine_chunks()
    numbers = pc.index_in(sets.flatten(), value_set=pa.array(labels, pa.string()))
    if numbers.null_count:
        unknown = sorted(set(sets.flatten().filter(pc.is_null(numbers)).to_pylist()))
        raise UserError(
            f"The rows hold labels that the label file does not: {', '.join(map(str, unknown[:5]))}.",
            "Run the pipeline again; new labels join the file when a run starts.",
        )
    wanted = np.zeros((len(records), len(labels)), dtype=np.float32)
    wanted[np.asarray(pc.list_parent_indices(sets)), np.asarray(numbers)] = 1
    return Targets(rows={"labels": wanted[windows.record]})
