"""Open cloze put to an encoder: a mask in each blank, and the family's own head for masked words asked there."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.task import IGNORED, Head, Targets, TaskOptions, TextTokenizer
from tunegate.text.blanks import filled
from tunegate.text.fill_questions import MASK, fill_windows
from tunegate.windows import Windows

HEAD = Head(
    "masked_words",
    outputs=("top_words", "top_scores"),
    loss="masked_words",
    told=("words",),
    learnt=("prediction_logits",),
)

NO_TOKEN = -1


def head(options: TaskOptions) -> Head:
    return HEAD


def head_options(labels: list[str], options: TaskOptions) -> dict[str, Any]:
    return {"top_words": options["top_words"]}


def encode(records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
    """What the model reads does not depend on the answer.

    Positions: `owned`, 1 at each blank that is asked; `wanted`, where records hold the words, its word's token. A blank
    has one mask: a word of several tokens cannot be filled in. It is not learnt, and its window counts it as `dropped`.
    """
    texts = [filled(text or "", MASK) for text in records["text"].to_pylist()]
    windows = fill_windows(pa.table({"text": pa.array(texts, pa.string())}), tokenizer, max_length, by_token=False)
    blanks = np.flatnonzero(windows.tokens["asked"] > 0)
    wanted = _wanted(records, tokenizer, len(blanks))
    owned = np.zeros(int(windows.offsets[-1]), dtype=np.int32)
    tokens = np.full(len(owned), NO_TOKEN, dtype=np.int32)
    if wanted is not None:
        tokens[blanks] = wanted
    asked = np.ones(len(blanks), dtype=bool) if wanted is None else wanted != NO_TOKEN
    owned[blanks[asked]] = 1
    window = np.searchsorted(windows.offsets, blanks[~asked], side="right") - 1
    return Windows(
        windows.tokens,
        windows.offsets,
        windows.record,
        windows.number,
        np.bincount(window, minlength=len(windows)).astype(np.int32),
        {"owned": owned, "wanted": tokens},
    )


def _wanted(records: pa.Table, tokenizer: TextTokenizer, blanks: int) -> NDArray[np.int32] | None:
    """The token of each blank's word, NO_TOKEN of a word that is not just one that is known; None without answers."""
    if "words" not in records.column_names:
        return None
    words = [word for own in records["words"].to_pylist() for word in own or []]
    if len(words) != blanks:
        return None
    # As they stand in a text: byte-level tokenizers have other tokens for words behind a space.
    encodings = tokenizer.tokenizer.encode_batch([f" {word}" for word in words], add_special_tokens=False)
    ids = [encoding.ids[0] if len(encoding.ids) == 1 else NO_TOKEN for encoding in encodings]
    return np.array([NO_TOKEN if token == tokenizer.unknown_id else token for token in ids], dtype=np.int32)


def target(records: pa.Table, windows: Windows, labels: list[str], options: TaskOptions) -> Targets:
    """`words`: int64 [tokens], the word's token at each blank that is asked, IGNORED elsewhere."""
    wanted = windows.positions["wanted"].astype(np.int64)
    return Targets(tokens={"words": np.where(wanted == NO_TOKEN, IGNORED, wanted)})
