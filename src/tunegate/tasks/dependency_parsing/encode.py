"""Dependency parsing put to an encoder: overlapping windows, in which each word asks once which place is its head."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunegate.task import IGNORED, Head, Targets, TaskOptions, TextTokenizer
from tunegate.text.label_numbers import label_config, label_numbers
from tunegate.text.word_pairs import asked, candidates, local_heads
from tunegate.text.word_windows import word_windows
from tunegate.windows import Windows

HEAD = Head(
    "biaffine",
    outputs=("arcs", "relations", "relation_scores"),
    loss="arcs",
    told=("heads",),
    learnt=("arcs", "relation_logits"),
    pairs=True,
)


def head(options: TaskOptions) -> Head:
    return HEAD


def head_options(labels: list[str], options: TaskOptions) -> dict[str, Any]:
    return {
        **label_config(labels),
        "arc_size": options["arc_size"],
        "relation_size": options["relation_size"],
    }


def encode(records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
    """Of a sentence that takes several windows, each word's head is looked for in the window that answers for it.

    Raises UserError for a tokenizer that gives the root no place.
    """
    windows = word_windows(records["tokens"], tokenizer, max_length)
    candidates(windows)
    return windows


def target(records: pa.Table, windows: Windows, labels: list[str], options: TaskOptions) -> Targets:
    """Per token: `heads`, the place in the window of the head, and `relations`, its number, where a word is asked, else
    IGNORED, as where the head lies in another window; `candidates`, 1 where something stands that may be a head.

    Raises UserError for a relation that the label file does not hold.
    """
    relations = records["relations"].combine_chunks()
    numbers = label_numbers(relations.flatten(), labels, "relations")
    sizes = np.asarray(pc.fill_null(pc.list_value_length(relations), 0), dtype=np.int64)
    starts, words = np.cumsum(sizes) - sizes, asked(windows)
    place = starts[windows.record[words.window]] + words.word - 1
    heads = np.asarray(records["heads"].combine_chunks().flatten(), dtype=np.int64)[place]
    local = local_heads(windows, words, heads)
    within, total = local >= 0, int(windows.offsets[-1])
    said = {name: np.full(total, IGNORED, dtype=np.int64) for name in ("heads", "relations")}
    said["heads"][words.flat[within]] = local[within]
    said["relations"][words.flat[within]] = numbers[place[within]]
    able = np.zeros(total, dtype=np.int64)
    able[candidates(windows).flat] = 1
    return Targets(tokens={**said, "candidates": able})
