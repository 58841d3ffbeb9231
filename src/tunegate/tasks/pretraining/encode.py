"""Pre-training put to an encoder: texts and pairs with words hidden, others in every epoch."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunegate.task import IGNORED, Head, Targets, TaskOptions, TextTokenizer
from tunegate.text.fill_questions import NOT_HIDDEN, fill_windows, masking_of
from tunegate.text.masking import NOTHING, masked
from tunegate.windows import Arrays, Windows

WORDS = Head(
    "masked_words",
    outputs=("top_words", "top_scores", "asked_scores"),
    loss="masked_words",
    told=("words",),
    learnt=("prediction_logits",),
)
WORDS_AND_ORDER = Head(
    "masked_words_and_order",
    outputs=(*WORDS.outputs, "order_scores"),
    loss="masked_words",
    told=("words",),
    learnt=("prediction_logits", "order_logits"),
)


def head(options: TaskOptions) -> Head:
    return WORDS if options["sentences"] == "none" else WORDS_AND_ORDER


def head_options(labels: list[str], options: TaskOptions) -> dict[str, Any]:
    return {"top_words": options["top_words"]}


def encode(records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
    return fill_windows(records, tokenizer, max_length, options["masking"] == "tokens")


def target(records: pa.Table, windows: Windows, labels: list[str], options: TaskOptions) -> Targets:
    """`words`: int64 [tokens], the hidden tokens; `order` [windows], IGNORED of a text alone, where it is learnt."""
    hidden = windows.positions["hidden"] != NOT_HIDDEN
    words = np.where(hidden, windows.tokens["asked"].astype(np.int64) - 1, IGNORED)
    if options["sentences"] == "none":
        return Targets(tokens={"words": words})
    order = np.asarray(pc.fill_null(records["order"].combine_chunks(), IGNORED), dtype=np.int64)
    return Targets(rows={"order": order[windows.record]}, tokens={"words": words})


def refresh(windows: Windows, seed: int, tokenizer: TextTokenizer, options: TaskOptions) -> tuple[Windows, Arrays]:
    """The windows with other words hidden, and the targets of tokens that are no longer as `target` has them."""
    before, asked = windows.tokens, windows.tokens["asked"]
    whole = np.where(windows.positions["hidden"] != NOT_HIDDEN, asked - 1, before["input_ids"]).astype(np.int32)
    masking = masking_of(tokenizer, options["share"])
    shown, hidden = masked(whole, windows.positions["word"], windows.offsets, seed, masking)
    tokens = {**before, "input_ids": shown, "asked": np.where(hidden == NOTHING, 0, hidden + 1).astype(np.int32)}
    fresh = Windows(tokens, windows.offsets, windows.record, windows.number, windows.dropped, windows.positions)
    return fresh, {"words": np.where(hidden == NOTHING, IGNORED, hidden).astype(np.int64)}
