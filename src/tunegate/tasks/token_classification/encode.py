"""Token classification put to an encoder: overlapping windows, each word asked once, at its first token."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunegate.task import IGNORED, Head, Targets, TaskOptions, TextTokenizer
from tunegate.text.label_numbers import label_config, label_numbers
from tunegate.text.word_windows import word_windows
from tunegate.windows import Windows

HEAD = Head("AutoModelForTokenClassification", outputs=("logits",), loss="cross_entropy")


def head(options: TaskOptions) -> Head:
    return HEAD


def head_options(labels: list[str], options: TaskOptions) -> dict[str, Any]:
    return label_config(labels)


def encode(records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
    return word_windows(records["tokens"], tokenizer, max_length)


def target(records: pa.Table, windows: Windows, labels: list[str], options: TaskOptions) -> Targets:
    """`labels`: int64 [tokens], the tag's number at each owned word's first token, IGNORED elsewhere.

    Raises UserError for a tag that the label file does not hold.
    """
    tags = records["tags"].combine_chunks()
    numbers = label_numbers(tags.flatten(), labels, "tags")
    sizes = np.asarray(pc.fill_null(pc.list_value_length(tags), 0), dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    owned = windows.positions["owned"] == 1
    place = starts[np.repeat(windows.record, windows.lengths)[owned]] + windows.positions["word"][owned]
    wanted = np.full(int(windows.offsets[-1]), IGNORED, dtype=np.int64)
    wanted[owned] = numbers[place]
    return Targets(tokens={"labels": wanted})
