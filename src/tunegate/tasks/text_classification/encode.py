"""Text classification put to an encoder: one window per record, or several of a long one, as the options say."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunegate.errors import UserError
from tunegate.task import Head, Targets, TaskOptions, TextTokenizer
from tunegate.text.long_texts import text_windows
from tunegate.windows import Windows

HEAD = Head("AutoModelForSequenceClassification", outputs=("logits",), loss="cross_entropy")


def head(options: TaskOptions) -> Head:
    return HEAD


def head_options(labels: list[str], options: TaskOptions) -> dict[str, Any]:
    return {
        "num_labels": len(labels),
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
        "problem_type": "single_label_classification",
    }


def encode(records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
    return text_windows(records, tokenizer, max_length, options)


def target(records: pa.Table, windows: Windows, labels: list[str], options: TaskOptions) -> Targets:
    """`labels`: int64 [windows]. Raises UserError for a label that the label file does not hold."""
    numbers = pc.index_in(records["label"], value_set=pa.array(labels))
    if numbers.null_count:
        unknown = sorted(set(records["label"].filter(pc.is_null(numbers)).to_pylist()))
        raise UserError(
            f"The rows hold labels that the label file does not: {', '.join(unknown[:5])}.",
            "Run the pipeline again; new labels join the file when a run starts.",
        )
    return Targets(rows={"labels": np.asarray(numbers.combine_chunks(), dtype=np.int64)[windows.record]})
