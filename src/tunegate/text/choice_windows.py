"""Questions with options to windows: an option per window (pairwise), or a record's options side by side (joint)."""

from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.task import TextTokenizer
from tunegate.text.frames import Frame, Frames, Ids, plain_ids
from tunegate.text.options import beside
from tunegate.text.tokens import whole_text_windows
from tunegate.windows import Windows

NO_OPTION = -1  # of positions that no option begins at
CHUNK = 5_000  # records per batch call
EMPTY = np.zeros(0, dtype=np.int32)


def pairwise_windows(records: pa.Table, tokenizer: TextTokenizer, max_length: int) -> Windows:
    """A window per record and option, `number` the option's; of a window too long the longer side loses first."""
    questions, contexts, options = _columns(records)
    pairs = [
        beside(question, context, option)
        for question, context, own in zip(questions, contexts, options, strict=True)
        for option in own
    ]
    first = pa.chunked_array([pa.array([one for one, _ in pairs], pa.string())])
    second = pa.chunked_array([pa.array([other for _, other in pairs], pa.string())])
    made = whole_text_windows(first, second if second.null_count < len(second) else None, tokenizer, max_length)
    sizes = [len(own) for own in options]
    return Windows(
        tokens=made.tokens,
        offsets=made.offsets,
        record=np.repeat(np.arange(len(sizes), dtype=np.int64), sizes),
        number=np.fromiter((number for size in sizes for number in range(size)), dtype=np.int32),
        dropped=made.dropped,
    )


def joint_windows(records: pa.Table, tokenizer: TextTokenizer, max_length: int) -> Windows:
    """A window per record: context and question, then all options with separators between them.

    Positions: `option`, the option's number where an option begins, else NO_OPTION; each option begins once. Of what is
    too long the context's end goes first, then the longest of question and options. A record of more options than
    fit with a token each has several windows.
    """
    made = _Made(Frames.of(tokenizer), max_length)
    questions, contexts, options = _columns(records)
    for start in range(0, len(options), CHUNK):
        here = slice(start, start + CHUNK)
        asked = plain_ids(tokenizer, [text or "" for text in questions[here]])
        before = plain_ids(tokenizer, [text or "" for text in contexts[here]])
        own = iter(plain_ids(tokenizer, [option for list_ in options[here] for option in list_]))
        for at, (question, context) in enumerate(zip(asked, before, strict=True)):
            record = start + at
            made.add(record, context, question, [next(own) for _ in options[record]])
    return made.windows()


def _columns(records: pa.Table) -> tuple[list[str | None], list[str | None], list[list[str]]]:
    """Questions, contexts and options; a column that the table lacks is null."""
    nothing: list[str | None] = [None] * len(records)
    question, context = (
        records[name].to_pylist() if name in records.column_names else nothing for name in ("question", "context")
    )
    return question, context, [own or [] for own in records["options"].to_pylist()]


class _Made:
    """Windows as they come."""

    def __init__(self, frames: Frames, max_length: int) -> None:
        self.frames, self.max_length = frames, max_length
        self.parts: list[tuple[Ids, Ids, Ids]] = []  # ids, types and options of each window
        self.numbers: list[tuple[int, int, int]] = []  # record, number, dropped

    def add(self, record: int, context: Ids, question: Ids, options: list[Ids]) -> None:
        asked = len(context) + len(question) > 0
        frame = self.frames.pair if asked else self.frames.single
        between = self.frames.pair.between
        room = self.max_length - frame.specials - asked  # of a question a token is kept, whatever there is to choose
        most = max(1, (room + len(between)) // (1 + len(between)))
        for number, first in enumerate(range(0, len(options), most)):
            own = options[first : first + most]
            body = self.max_length - frame.specials - (len(own) - 1) * len(between)
            kept = _fitted(context, question, own, body)
            window = _window(frame, between, np.concatenate(kept[:2]) if asked else None, kept[2:])
            whole = len(context) + len(question) + sum(map(len, own))
            self.parts.append((*window[:2], np.where(window[2] >= 0, window[2] + first, NO_OPTION)))
            self.numbers.append((record, number, whole - sum(map(len, kept))))

    def windows(self) -> Windows:
        lengths = np.array([len(ids) for ids, _, _ in self.parts], dtype=np.int64)
        ids, types, options = (
            np.concatenate([EMPTY, *column]) for column in (zip(*self.parts, strict=True) if self.parts else ((),) * 3)
        )
        numbers = np.array(self.numbers, dtype=np.int64).reshape(-1, 3)
        return Windows(
            tokens={"input_ids": ids, "token_type_ids": types},
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            record=numbers[:, 0],
            number=numbers[:, 1].astype(np.int32),
            dropped=numbers[:, 2].astype(np.int32),
            positions={"option": options.astype(np.int32)},
        )


def _window(frame: Frame, between: Ids, asked: Ids | None, options: list[Ids]) -> tuple[Ids, Ids, Ids]:
    """Ids, token types, and per position the number of the option that begins there."""
    joined = np.concatenate([part for option in options for part in (option, between)][: 2 * len(options) - 1])
    sides = (joined,) if asked is None else (asked, joined)
    ids, types = frame.filled(sides)
    steps = accumulate((len(option) + len(between) for option in options[:-1]), initial=0)
    begin = frame.start(len(sides) - 1, sides) + np.fromiter(steps, dtype=np.int64)
    marks = np.full(len(ids), NO_OPTION, dtype=np.int32)
    # Of an option of which the tokenizer keeps nothing, the separator after it stands for it.
    marks[np.minimum(begin, len(ids) - 1)] = np.arange(len(options), dtype=np.int32)
    return ids, types, marks


def _fitted(context: Ids, question: Ids, options: list[Ids], body: int) -> list[Ids]:
    """Context, question and options cut so that all fit into `body` tokens."""
    rest = [question, *options]
    context = context[: max(0, body - sum(map(len, rest)))]
    cap = _cap([len(part) for part in rest], body)
    return [context, *(part[:cap] for part in rest)]


def _cap(lengths: list[int], body: int) -> int:
    """The greatest number of tokens each such that all fit, at least 1."""
    ordered: NDArray[Any] = np.sort(np.array(lengths))
    cap = int(ordered[-1])
    taken = 0
    for at, length in enumerate(ordered.tolist()):
        share = (body - taken) // (len(ordered) - at)
        if length > share:
            return max(1, share)
        taken += length
    return cap


def options_at(windows: Windows) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Of joint windows: per option its window, its place in the window, and its number."""
    flat = np.flatnonzero(windows.positions["option"] != NO_OPTION)
    window = np.searchsorted(windows.offsets, flat, side="right") - 1
    return window, flat - windows.offsets[window], windows.positions["option"][flat].astype(np.int64)
