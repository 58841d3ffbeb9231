"""A question and a long passage to windows: the question in each, the passage in parts that overlap.

The parts share at least a fourth, and as many tokens as an answer may have: an answer so long stands whole in one.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.task import IGNORED, TextTokenizer
from tunegate.text.frames import Frame, Frames, Ids, plain_ids
from tunegate.text.tokens import slices
from tunegate.windows import Windows

OVERLAP = 4  # a fourth of a part, at least
NOWHERE = -1  # the place of a token that is not the passage's
NO_ANSWER = 0  # the position that stands for "not here": the first, as in BERT (Devlin et al. 2019, section 4.3)


def passage_windows(
    questions: pa.ChunkedArray, passages: pa.ChunkedArray, tokenizer: TextTokenizer, max_length: int, longest: int
) -> Windows:
    """At least one window per record; an answer may have up to `longest` tokens.

    Positions: `start` and `end`, the characters of the passage that a token stands for, NOWHERE for other tokens.
    A question has half a window at most; what is cut of it counts as `dropped`, of the passage nothing is.
    """
    made = _Made(Frames.of(tokenizer).pair, max_length, longest)
    for first, count in slices(questions, passages):
        asked = plain_ids(tokenizer, [text or "" for text in questions.slice(first, count).to_pylist()])
        read = _read([text or "" for text in passages.slice(first, count).to_pylist()], tokenizer)
        for record, (question, passage) in enumerate(zip(asked, read, strict=True), start=first):
            made.add(record, question, passage)
    return made.windows()


def part_starts(length: int, room: int, longest: int) -> list[int]:
    """Where the parts of a passage begin, each of `room` tokens: the last ends with the passage."""
    if length <= room:
        return [0]
    shared = max(room // OVERLAP, min(longest, room // 2))
    count = -(-(length - shared) // (room - shared))
    return [number * (length - room) // (count - 1) for number in range(count)]


def span_targets(
    windows: Windows, answers: list[tuple[int, int] | None]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first and the last token of each record's answer in each window, int64 [n] both.

    `answers` [records] are spans of characters; an empty one says that there is no answer. A window that does not hold
    the whole answer points at NO_ANSWER. None, or an answer that no window holds, is IGNORED in all of them.
    """
    targets = np.full((2, len(windows)), NO_ANSWER, dtype=np.int64)
    starts = windows.starts(len(answers))
    for record, span in enumerate(answers):
        own = slice(int(starts[record]), int(starts[record + 1]))
        if span is None:
            targets[:, own] = IGNORED
        elif span[0] < span[1]:
            found = [_inside(windows, number, span, (own.start, own.stop - 1)) for number in range(own.start, own.stop)]
            for number, tokens in zip(range(own.start, own.stop), found, strict=True):
                targets[:, number] = tokens or (NO_ANSWER if any(found) else IGNORED)
    return targets[0], targets[1]


def _inside(windows: Windows, number: int, span: tuple[int, int], ends: tuple[int, int]) -> tuple[int, int] | None:
    """The first and last token of the answer in the window, None where it does not hold all of it. Of the characters at
    a passage's ends the tokenizer may keep nothing, so its first and last window (`ends`) reach as far as it does."""
    own = slice(int(windows.offsets[number]), int(windows.offsets[number + 1]))
    first, last = windows.positions["start"][own], windows.positions["end"][own]
    read = np.flatnonzero(first != NOWHERE)
    tokens = np.flatnonzero((first != NOWHERE) & (first < span[1]) & (last > span[0]))
    if not len(tokens):
        return None
    begun = number == ends[0] or first[read[0]] <= span[0]
    ended = number == ends[1] or last[read[-1]] >= span[1]
    return (int(tokens[0]), int(tokens[-1])) if begun and ended else None


def _read(passages: list[str], tokenizer: TextTokenizer) -> Iterator[tuple[Ids, NDArray[np.int32]]]:
    """Tokens [t] and their characters [t, 2] of each; a passage that several questions are about is read once."""
    different = list(dict.fromkeys(passages))
    encodings = tokenizer.tokenizer.encode_batch(different, add_special_tokens=False)
    known = {text: _tokens(encoding) for text, encoding in zip(different, encodings, strict=True)}
    return (known[text] for text in passages)


def _tokens(encoding: Any) -> tuple[Ids, NDArray[np.int32]]:
    return np.array(encoding.ids, dtype=np.int32), np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)


class _Made:
    """Windows as they come."""

    def __init__(self, frame: Frame, max_length: int, longest: int) -> None:
        self.frame, self.body, self.longest = frame, max(2, max_length - frame.specials), longest
        self.parts: list[tuple[Ids, Ids, NDArray[np.int32]]] = []  # ids, types and characters of each window
        self.numbers: list[tuple[int, int, int]] = []  # record, number, dropped

    def add(self, record: int, question: Ids, passage: tuple[Ids, NDArray[np.int32]]) -> None:
        kept = question[: self.body // 2]
        room = self.body - len(kept)
        ids, places = passage
        for number, start in enumerate(part_starts(len(ids), room, self.longest)):
            sides = (kept, ids[start : start + room])
            tokens, types = self.frame.filled(sides)
            characters = np.full((len(tokens), 2), NOWHERE, dtype=np.int32)
            at = self.frame.start(1, sides)
            characters[at : at + len(sides[1])] = places[start : start + room]
            self.parts.append((tokens, types, characters))
            self.numbers.append((record, number, 0 if number else len(question) - len(kept)))

    def windows(self) -> Windows:
        lengths = np.array([len(ids) for ids, _, _ in self.parts], dtype=np.int64)
        nothing = np.zeros(0, dtype=np.int32)
        places = np.concatenate([np.zeros((0, 2), dtype=np.int32), *(places for _, _, places in self.parts)])
        numbers = np.array(self.numbers, dtype=np.int64).reshape(-1, 3)
        return Windows(
            tokens={
                "input_ids": np.concatenate([nothing, *(ids for ids, _, _ in self.parts)]),
                "token_type_ids": np.concatenate([nothing, *(types for _, types, _ in self.parts)]),
            },
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            record=numbers[:, 0],
            number=numbers[:, 1].astype(np.int32),
            dropped=numbers[:, 2].astype(np.int32),
            positions={"start": places[:, 0].copy(), "end": places[:, 1].copy()},
        )
