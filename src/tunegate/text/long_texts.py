"""Texts over the model's length: their beginning, beginning and end, or all of them in windows that overlap.

Windows are learnt one by one, each with its record's answer; asked, a record's windows give their scores together
(`pooled`). What is left out of a text is counted (`Windows.dropped`) and never passes unsaid.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from tunegate.params import Settings
from tunegate.task import TaskOptions, TextTokenizer
from tunegate.text.frames import Frames, Ids, Sides, plain_ids
from tunegate.text.questions import second_texts
from tunegate.text.tokens import slices, whole_text_windows
from tunegate.windows import Windows, joined

OVERLAP = 4  # neighbouring windows share at least a fourth
HEAD = 4  # a fourth of what is kept is the beginning: Sun et al. 2019 (section 5.3.1) keep 128 and 382 of 510 tokens

Floats = NDArray[np.float64]


class LongTexts(Settings):
    """What the tasks that answer whole texts do with long ones."""

    long_texts: Literal["head", "head_and_tail", "windows"] = Field(
        default="head",
        description="what is read of a text over tokenize.max_length: its beginning, beginning and end, or all of it "
        "in windows",
    )
    pooling: Literal["mean", "max"] = Field(
        default="mean", description="how the scores of a text's windows become one: their mean, or the highest of each"
    )


def text_windows(records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
    """Windows of `text` and, where there are pairs, `text_b`, as the option `long_texts` says.

    Short questions have one window in any case. Of a long pair the longer text loses first, or moves through the
    windows while the shorter stands in each; where both take more than half a window both move, at like places.
    """
    first, second = records["text"], second_texts(records)
    begun = whole_text_windows(first, second, tokenizer, max_length)
    long = np.flatnonzero(begun.dropped > 0)
    if options["long_texts"] == "head" or not len(long):
        return begun
    chosen = pa.array(long)
    rest = _Long(tokenizer, Frames.of(tokenizer)).windows(
        first.take(chosen), None if second is None else second.take(chosen), long, max_length, options
    )
    both = joined([begun.take(np.flatnonzero(begun.dropped == 0)), rest], [0, 0])
    return both.take(np.argsort(both.record, kind="stable"))


def pooled(logits: NDArray[np.generic], windows: Windows, records: int, options: TaskOptions) -> Floats:
    """Scores of windows [w, c] as those of their records [records, c]; 0 for a record without a window."""
    scores = np.asarray(logits, dtype=np.float64)
    if len(windows) == records:
        return scores
    counts = np.bincount(windows.record, minlength=records)[:, None]
    if options["pooling"] == "max":
        highest = np.full((records, scores.shape[1]), -np.inf)
        np.maximum.at(highest, windows.record, scores)
        return np.where(counts > 0, highest, 0.0)
    sums = np.zeros((records, scores.shape[1]))
    np.add.at(sums, windows.record, scores)
    return sums / np.maximum(counts, 1)


def spans(length: int, size: int) -> list[tuple[int, int]]:
    """From where to where the windows of `size` tokens over a text of `length` reach: all full, evenly spread."""
    if length <= size:
        return [(0, length)]
    shared = size // OVERLAP
    count = -(-(length - shared) // (size - shared))
    starts = (number * (length - size) // (count - 1) for number in range(count))
    return [(start, start + size) for start in starts]


def room_for(lengths: tuple[int, ...], body: int) -> tuple[int, ...]:
    """How many tokens of each text are kept, so that all fit in `body`: the longer text loses first."""
    if len(lengths) == 1:
        return (min(lengths[0], body),)
    shorter = min(*lengths, body // 2)
    kept = [min(length, body - shorter) for length in lengths]
    if sum(kept) > body:
        kept[int(np.argmin(lengths))] = shorter
    return tuple(kept)


def _head_and_tail(sides: Sides, body: int) -> Sides:
    room = room_for(tuple(map(len, sides)), body)
    return tuple(
        side if len(side) <= kept else np.concatenate([side[: kept // HEAD], side[len(side) - (kept - kept // HEAD) :]])
        for side, kept in zip(sides, room, strict=True)
    )


def _moving(sides: Sides, body: int) -> list[Sides]:
    """All of the texts, in as many windows as they take."""
    room = room_for(tuple(map(len, sides)), body)
    parts = [[side[start:end] for start, end in spans(len(side), kept)] for side, kept in zip(sides, room, strict=True)]
    count = max(map(len, parts))
    return [tuple(part[_like(number, count, len(part))] for part in parts) for number in range(count)]


def _like(number: int, count: int, others: int) -> int:
    """Which of fewer windows stands at the place of window `number` of `count`; each stands somewhere."""
    return 0 if others == 1 else number * (others - 1) // (count - 1)


@dataclass(frozen=True)
class _Long:
    tokenizer: TextTokenizer
    frames: Frames

    def windows(
        self,
        first: pa.ChunkedArray,
        second: pa.ChunkedArray | None,
        records: NDArray[np.int64],
        max_length: int,
        options: TaskOptions,
    ) -> Windows:
        """Of these long questions; `records` [n] are their numbers."""
        made = _Made()
        for record, sides in zip(records.tolist(), self._sides(first, second), strict=True):
            frame = self.frames.around(sides)
            body = max_length - frame.specials
            if options["long_texts"] == "windows":
                made.add(record, [frame.filled(part) for part in _moving(sides, body)], 0)
            else:
                kept = _head_and_tail(sides, body)
                made.add(record, [frame.filled(kept)], sum(map(len, sides)) - sum(map(len, kept)))
        return made.windows()

    def _sides(self, first: pa.ChunkedArray, second: pa.ChunkedArray | None) -> Iterator[Sides]:
        for start, count in slices(first, second):
            texts = first.slice(start, count).to_pylist()
            others = [None] * count if second is None else second.slice(start, count).to_pylist()
            own = plain_ids(self.tokenizer, [text or "" for text in texts])
            beside = plain_ids(self.tokenizer, [text or "" for text in others])
            for side, other, text in zip(own, beside, others, strict=True):
                yield (side,) if text is None else (side, other)


class _Made:
    """Windows as they come."""

    def __init__(self) -> None:
        self.tokens: Mapping[str, list[Ids]] = {"input_ids": [], "token_type_ids": []}
        self.record: list[int] = []
        self.number: list[int] = []
        self.dropped: list[int] = []

    def add(self, record: int, windows: list[tuple[Ids, Ids]], dropped: int) -> None:
        for number, (ids, types) in enumerate(windows):
            self.tokens["input_ids"].append(ids)
            self.tokens["token_type_ids"].append(types)
            self.record.append(record)
            self.number.append(number)
            self.dropped.append(dropped if number == 0 else 0)

    def windows(self) -> Windows:
        lengths = np.array([len(ids) for ids in self.tokens["input_ids"]], dtype=np.int64)
        return Windows(
            tokens={name: np.concatenate(parts) for name, parts in self.tokens.items()},
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            record=np.array(self.record, dtype=np.int64),
            number=np.array(self.number, dtype=np.int32),
            dropped=np.array(self.dropped, dtype=np.int32),
        )
