"""Texts to tokens with a fast tokenizer's batch call, flat.

The plain way: `whole_text_windows` is the one place that a faster exact one can replace.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tunegate.errors import UserError
from tunegate.task import TextTokenizer
from tunegate.windows import Windows

UNKNOWN_TOKENS = ("[UNK]", "<unk>")
PAD_TOKENS = ("[PAD]", "<pad>")
CHUNK = 20_000  # rows per batch call: threads stay busy
CHUNK_CHARACTERS = 4_000_000  # and characters, however few rows: a token takes some 100 bytes while it is looked at


def load_tokenizer(folder: Path) -> TextTokenizer:
    """The `tokenizer.json` in the folder, without padding or truncation of its own. Raises UserError."""
    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception for a missing or damaged file
        raise UserError(
            f"{path} cannot be read as a tokenizer: {error}.",
            "Add the base model again with `tunegate models add`, which makes this file.",
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True  # a "[SEP]" that a user typed stays text
    pad = next((number for token in PAD_TOKENS if (number := tokenizer.token_to_id(token)) is not None), 0)
    unknown = next((n for token in UNKNOWN_TOKENS if (n := tokenizer.token_to_id(token)) is not None), None)
    return TextTokenizer(tokenizer, unknown, {"input_ids": pad, "token_type_ids": 0})


def whole_text_windows(
    first: pa.ChunkedArray, second: pa.ChunkedArray | None, tokenizer: TextTokenizer, max_length: int
) -> Windows:
    """One window per row, cut at `max_length` (of a pair, the longer text loses first), with what was cut counted."""
    ids: list[list[int]] = []
    types: list[list[int]] = []
    dropped = np.zeros(len(first), dtype=np.int32)
    for start, count in slices(first, second):
        questions = _questions(first, second, start, count)
        encodings = _encode(tokenizer, questions, max_length)
        ids += [encoding.ids for encoding in encodings]
        types += [encoding.type_ids for encoding in encodings]
        full = [number for number, encoding in enumerate(encodings) if len(encoding.ids) == max_length]
        whole = _encode(tokenizer, [questions[number] for number in full], None)
        for number, encoding in zip(full, whole, strict=True):
            dropped[start + number] = len(encoding.ids) - max_length
    lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
    return Windows(
        tokens={"input_ids": _flat(ids), "token_type_ids": _flat(types)},
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        record=np.arange(len(ids), dtype=np.int64),
        number=np.zeros(len(ids), dtype=np.int32),
        dropped=dropped,
    )


def slices(first: pa.ChunkedArray, second: pa.ChunkedArray | None) -> Iterator[tuple[int, int]]:
    """Start and number of the rows of each batch call, so that memory stays flat however long texts are."""
    lengths = [np.asarray(pc.fill_null(pc.utf8_length(texts), 0)) for texts in (first, second) if texts is not None]
    yield from portions(np.sum(lengths, axis=0), CHUNK)


def portions(characters: NDArray[np.int64], rows: int) -> Iterator[tuple[int, int]]:
    """Start and number of rows of each portion: at most so many, and CHUNK_CHARACTERS among them unless it is one."""
    until = np.cumsum(characters)
    start = 0
    while start < len(until):
        before = int(until[start - 1]) if start else 0
        end = int(np.searchsorted(until, before + CHUNK_CHARACTERS, side="right"))
        count = max(1, min(end - start, rows))
        yield start, count
        start += count


def _questions(
    first: pa.ChunkedArray, second: pa.ChunkedArray | None, start: int, count: int
) -> list[str | tuple[str, str]]:
    texts = first.slice(start, count).to_pylist()
    if second is None:
        return list(texts)
    others = second.slice(start, count).to_pylist()
    return [text if other is None else (text, other) for text, other in zip(texts, others, strict=True)]


def _encode(tokenizer: TextTokenizer, questions: list[str | tuple[str, str]], max_length: int | None) -> list[Any]:
    if not questions:
        return []
    if max_length is None:
        tokenizer.tokenizer.no_truncation()
    else:
        tokenizer.tokenizer.enable_truncation(max_length, strategy="longest_first")
    encodings = tokenizer.tokenizer.encode_batch_fast(questions)
    tokenizer.tokenizer.no_truncation()
    return list(encodings)


def _flat(rows: list[list[int]]) -> NDArray[np.int32]:
    return np.fromiter((number for row in rows for number in row), dtype=np.int32, count=sum(map(len, rows)))
