"""Words to windows: a record longer than a window has several, which overlap, and each word is answered for by one.

Nothing is cut off: a word's answer is read off its first token in the window where that token has most context.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.task import TextTokenizer
from tunegate.text.words import UNSPACED, WORD_MARK
from tunegate.windows import Windows

OVERLAP = 4  # a fourth of a window is shared with the next
NO_WORD = -1  # of special tokens
UNSPACED_START = re.compile(f"[{UNSPACED}]")
CHUNK = 10_000  # records per batch call: memory stays flat, threads stay busy


def word_windows(words: pa.ChunkedArray, tokenizer: TextTokenizer, max_length: int) -> Windows:
    """Of list<string> [n]; each record has at least one window.

    Positions: `word`, the word's place in its record, NO_WORD of special tokens; `owned`, 1 where the window answers
    for a word, which is at the word's first token and once for each word that has tokens. A record's first window
    counts as `dropped` the words of which the tokenizer keeps nothing: nobody can answer for them.
    """
    before, after = _specials(tokenizer)
    mark = tokenizer.tokenizer.token_to_id(WORD_MARK)
    body = max(1, max_length - len(before) - len(after))
    made = _Made(before, after)
    for start in range(0, len(words), CHUNK):
        lists = [value or [] for value in words.slice(start, CHUNK).to_pylist()]
        encodings = tokenizer.tokenizer.encode_batch(lists, is_pretokenized=True, add_special_tokens=False)
        for number, encoding in enumerate(encodings):
            read = _read(encoding, lists[number], mark)
            made.add(start + number, read, body)
            made.dropped[made.first] = len(lists[number]) - int(read.leads.sum())
    return made.windows()


class _Made:
    """Windows as they come."""

    def __init__(self, before: list[int], after: list[int]) -> None:
        self.before, self.after = np.array(before, np.int32), np.array(after, np.int32)
        self.ids: list[NDArray[np.int32]] = []
        self.words: list[NDArray[np.int32]] = []
        self.owned: list[NDArray[np.int32]] = []
        self.record: list[int] = []
        self.number: list[int] = []
        self.dropped: list[int] = []
        self.first = 0  # window of the record that was added last

    def add(self, record: int, read: "_Read", body: int) -> None:
        ids, words, first = read.ids, read.words, read.leads
        shared = body // OVERLAP
        self.first = len(self.record)
        starts = range(0, max(1, len(ids) - shared), max(1, body - shared)) if len(ids) > body else range(1)
        for number, start in enumerate(starts):
            end = min(len(ids), start + body)
            place = np.arange(start, end)
            own_from = 0 if number == 0 else start + shared // 2
            own_to = len(ids) if number == len(starts) - 1 else starts[number + 1] + shared // 2
            mine = first[start:end] & (place >= own_from) & (place < own_to)
            self._append(ids[start:end], words[start:end], mine.astype(np.int32))
            self.record.append(record)
            self.number.append(number)
            self.dropped.append(0)

    def _append(self, ids: NDArray[np.int32], words: NDArray[np.int32], owned: NDArray[np.int32]) -> None:
        none = [np.full(len(part), NO_WORD, np.int32) for part in (self.before, self.after)]
        zeros = [np.zeros(len(part), np.int32) for part in (self.before, self.after)]
        self.ids.append(np.concatenate([self.before, ids, self.after]))
        self.words.append(np.concatenate([none[0], words, none[1]]))
        self.owned.append(np.concatenate([zeros[0], owned, zeros[1]]))

    def windows(self) -> Windows:
        lengths = np.array([len(ids) for ids in self.ids], dtype=np.int64)
        nothing = np.zeros(0, dtype=np.int32)
        ids = np.concatenate([nothing, *self.ids])
        return Windows(
            tokens={"input_ids": ids, "token_type_ids": np.zeros_like(ids)},
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            record=np.array(self.record, dtype=np.int64),
            number=np.array(self.number, dtype=np.int32),
            dropped=np.array(self.dropped, dtype=np.int32),
            positions={
                "word": np.concatenate([nothing, *self.words]),
                "owned": np.concatenate([nothing, *self.owned]),
            },
        )


@dataclass(frozen=True)
class _Read:
    """A record's tokens [t]: their ids, their words, and whether a word's answer is read off them."""

    ids: NDArray[np.int32]
    words: NDArray[np.int32]
    leads: NDArray[np.bool_]


def _read(encoding: Any, texts: Sequence[str], mark: int | None) -> _Read:
    """A word's first token leads. A `mark` that stands alone before the rest of its word says nothing of it: the next
    token leads, and in scripts without blanks the mark goes, since running text has none there either."""
    ids = np.array(encoding.ids, dtype=np.int32)
    words = np.array([NO_WORD if word is None else word for word in encoding.word_ids], dtype=np.int32)
    if mark is not None and (ids == mark).any():
        bare = (ids == mark) & (np.append(words[1:], NO_WORD) == words)
        gone = bare & np.isin(words, [word for word in words[bare].tolist() if UNSPACED_START.match(texts[word])])
        ids, words = ids[~gone], words[~gone]
    leads = np.diff(words, prepend=NO_WORD) != 0
    if mark is not None:
        alone = np.flatnonzero(leads & (ids == mark) & (np.append(words[1:], NO_WORD) == words))
        leads[alone], leads[alone + 1] = False, True
    return _Read(ids, words, leads)


def _specials(tokenizer: TextTokenizer) -> tuple[list[int], list[int]]:
    """The tokens that the tokenizer puts before and after a text."""
    encoding = tokenizer.tokenizer.encode(["a"], is_pretokenized=True)
    text = [place for place, special in enumerate(encoding.special_tokens_mask) if not special]
    if not text:
        half = len(encoding.ids) // 2
        return list(encoding.ids[:half]), list(encoding.ids[half:])
    return list(encoding.ids[: text[0]]), list(encoding.ids[text[-1] + 1 :])
