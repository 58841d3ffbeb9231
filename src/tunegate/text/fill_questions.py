"""Texts with words to fill in, as windows: masks that a person wrote, or words hidden to judge a model by.

A text with `[MASK]` asks what stands there. A text without one, alone, is judged: the words that `hidden_words` names
are hidden, and the model says how likely they are. A pair of texts asks whether the second follows the first, and
nothing of it is hidden.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.errors import UserError
from tunegate.task import TextTokenizer
from tunegate.text.frames import Frame, Frames
from tunegate.text.long_texts import room_for, spans
from tunegate.text.masking import NO_WORD, Masking, hidden_words
from tunegate.text.words import WORD_MARK, split_words
from tunegate.windows import Windows

MASK = "[MASK]"  # as people write it, whatever the tokenizer's own is
MASK_TOKENS = (MASK, "<mask>")
NOT_HIDDEN = -1
CHUNK = 5_000  # records per batch call: memory stays flat, threads stay busy

Ids = NDArray[np.int32]


def fill_windows(records: pa.Table, tokenizer: TextTokenizer, max_length: int, by_token: bool) -> Windows:
    """Of `text`, and `text_b` where a row has one. Columns `word_starts` and `word_starts_b` say where words start.

    Tokens: `asked`, 0 where nothing is asked, else the number of the hidden token plus 1 (just 1 at a person's mask,
    where none is known). Positions: `word`, the token's word in its window (`by_token`: each token is one), NO_WORD of
    special tokens and masks; `hidden`, the number of the first hidden word that the token belongs to, NOT_HIDDEN of
    others; `sharing`, how many hidden words it belongs to.

    A long text has several windows, in one of which each token is asked; a long pair is cut, the longer text first.
    A hidden word that the tokenizer does not know is not asked: nobody can fill it in.
    """
    made = _Made(Frames.of(tokenizer), max_length)
    reader = _Reader(tokenizer, mask_id(tokenizer), by_token)
    for start in range(0, len(records), CHUNK):
        for number, sides in enumerate(reader.sides(records.slice(start, CHUNK))):
            made.add(start + number, sides)
    return made.windows()


def masking_of(tokenizer: TextTokenizer, share: float) -> Masking:
    """What hides tokens: in another's place any token may stand that is not special."""
    added = tokenizer.tokenizer.get_added_tokens_decoder()
    special = [number for number, token in added.items() if token.special]
    others = np.delete(np.arange(tokenizer.vocabulary_size, dtype=np.int32), special)
    return Masking(mask_id(tokenizer), others, share)


def mask_id(tokenizer: TextTokenizer) -> int:
    """Raises UserError for a tokenizer without a mask."""
    ids = (tokenizer.tokenizer.token_to_id(token) for token in MASK_TOKENS)
    found = next((number for number in ids if number is not None), None)
    if found is None:
        raise UserError(
            "The base model's tokenizer has no [MASK] token, so no word can be hidden.",
            "Take a base model that was itself trained by filling in words (BERT, RoBERTa, ALBERT, ...).",
        )
    return int(found)


@dataclass(frozen=True)
class _Side:
    """One text's tokens, int32 [t] each."""

    ids: Ids
    asked: Ids
    word: Ids
    hidden: Ids
    sharing: Ids

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, start: int, end: int) -> "_Side":
        return _Side(*(getattr(self, name)[start:end] for name in SIDE))

    def asked_within(self, start: int, end: int) -> "_Side":
        """Nothing is asked outside, and what was hidden there stands as it is."""
        place = np.arange(len(self))
        outside = (place < start) | (place >= end)
        seen = np.where(outside & (self.hidden != NOT_HIDDEN) & (self.asked > 0), self.asked - 1, self.ids)
        return _Side(
            seen.astype(np.int32),
            np.where(outside, 0, self.asked).astype(np.int32),
            self.word,
            np.where(outside, NOT_HIDDEN, self.hidden).astype(np.int32),
            np.where(outside, 0, self.sharing).astype(np.int32),
        )


EMPTY = {"ids": 0, "asked": 0, "word": NO_WORD, "hidden": NOT_HIDDEN, "sharing": 0}  # of special tokens
SIDE = tuple(EMPTY)


@dataclass(frozen=True)
class _Reader:
    tokenizer: TextTokenizer
    mask: int
    by_token: bool

    def sides(self, records: pa.Table) -> Iterator[list[_Side]]:
        """Of each record one side, or two."""
        names = ("text", "text_b", "word_starts", "word_starts_b")
        nothing: list[Any] = [None] * len(records)
        columns = [records[name].to_pylist() if name in records.column_names else nothing for name in names]
        texts = [
            [text or "", other] if other is not None else [text or ""] for text, other in zip(*columns[:2], strict=True)
        ]
        pieces = [piece for row in texts for text in row for piece, _ in _pieces(text)]
        encodings = iter(self.tokenizer.tokenizer.encode_batch(pieces, add_special_tokens=False))
        for row, *starts in zip(texts, *columns[2:], strict=True):
            judged = len(row) == 1 and len(list(_pieces(row[0]))) == 1
            yield [
                self._side(text, own, encodings, hidden_words(text) if judged else [])
                for text, own in zip(row, starts, strict=False)
            ]

    def _side(
        self, text: str, starts: Sequence[int] | None, encodings: Iterator[Any], hidden: list[tuple[int, int]]
    ) -> _Side:
        words = np.array(split_words(text)[1] if starts is None else starts, dtype=np.int64)
        ids: list[int] = []
        places: list[tuple[int, int]] = []
        for number, (_, start) in enumerate(_pieces(text)):
            if number:
                ids.append(NO_WORD)
                places.append((start, start))
            encoding = next(encodings)
            first = int(number > 0 and self._begins_nothing(encoding, text[start : start + 1]))
            ids += encoding.ids[first:]
            places += [(start + begin, start + end) for begin, end in encoding.offsets[first:]]
        tokens = np.array(ids, dtype=np.int32)
        masks = tokens == NO_WORD
        spots = np.array(places, dtype=np.int64).reshape(-1, 2)
        seen = _visible(text)[np.minimum(spots[:, 0], len(text))]
        word = np.maximum(np.searchsorted(words, seen, side="right") - 1, 0)
        word = np.arange(len(tokens)) if self.by_token else word
        known = ~masks & (tokens != (-1 if self.tokenizer.unknown_id is None else self.tokenizer.unknown_id))
        own, sharing = _hidden(seen, spots[:, 1], hidden)
        own = np.where(known, own, NOT_HIDDEN)
        return _Side(
            ids=np.where(masks | (own != NOT_HIDDEN), self.mask, tokens).astype(np.int32),
            asked=np.where(masks, 1, np.where(own != NOT_HIDDEN, tokens + 1, 0)).astype(np.int32),
            word=np.where(masks, NO_WORD, word).astype(np.int32),
            hidden=own.astype(np.int32),
            sharing=np.where(own != NOT_HIDDEN, sharing, 0).astype(np.int32),
        )

    def _begins_nothing(self, encoding: Any, following: str) -> bool:
        """Whether text that goes on behind a mask without a blank begins with the mark of a new word all the same."""
        return encoding.tokens[:1] == [WORD_MARK] and not following.isspace()


def _pieces(text: str) -> Iterator[tuple[str, int]]:
    """What stands before, between and after masks, each with its place in the text. A blank before a mask goes: the
    masks of byte-level tokenizers stand for the word with its blank."""
    start = 0
    while True:
        at, end = text.find(MASK, start), start + len(MASK)
        if at < 0:
            yield text[start:], start
            return
        end = at + len(MASK)
        yield text[start:at].rstrip(), start
        start = end


def _visible(text: str) -> NDArray[np.int64]:
    """The first place from each on that is no white space, int64 [characters + 1]."""
    places = np.arange(len(text) + 1)
    blank = np.array([char.isspace() for char in text] + [False], dtype=bool)
    return np.minimum.accumulate(np.where(blank, len(text), places)[::-1])[::-1]


def _hidden(
    first: NDArray[np.int64], last: NDArray[np.int64], hidden: list[tuple[int, int]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per token from its first visible character: the first hidden word in it, and how many."""
    starts, ends = np.array(hidden, dtype=np.int64).reshape(-1, 2).T
    from_word = np.searchsorted(ends, first, side="right")
    last = np.maximum(last, first + 1)  # a token of white space alone belongs to the word that it stands before
    sharing = np.searchsorted(starts, last, side="left") - from_word
    return np.where(sharing > 0, from_word, NOT_HIDDEN), np.maximum(sharing, 0)


def _filled(frame: Frame, sides: Sequence[_Side]) -> tuple[_Side, Ids]:
    """A whole window, and its token types."""
    texts = tuple(side.ids for side in sides)
    ids, types = frame.filled(texts)
    whole = {name: np.full(len(ids), EMPTY[name], dtype=np.int32) for name in SIDE} | {"ids": ids}
    for number, side in enumerate(sides):
        start = frame.start(number, texts)
        for name in SIDE[1:]:
            whole[name][start : start + len(side)] = getattr(side, name)
    return _Side(**whole), types


@dataclass
class _Made:
    """Windows as they come."""

    frames: Frames
    max_length: int
    windows_made: list[tuple[_Side, Ids]] = field(default_factory=list)
    record: list[int] = field(default_factory=list)
    number: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)

    def add(self, record: int, sides: list[_Side]) -> None:
        if len(sides) == 1:
            for number, part in enumerate(self._parts(sides[0], self.max_length - self.frames.single.specials)):
                self._append(record, number, _filled(self.frames.single, [part]), 0)
            return
        room = room_for(tuple(map(len, sides)), self.max_length - self.frames.pair.specials)
        kept = [side.part(0, size) for side, size in zip(sides, room, strict=True)]
        self._append(record, 0, _filled(self.frames.pair, kept), sum(map(len, sides)) - sum(room))

    @staticmethod
    def _parts(side: _Side, body: int) -> Iterator[_Side]:
        """Each token is asked in one of them: where it stands farther from the edge."""
        reach = spans(len(side), body)
        edges = [0, *((start + end) // 2 for (start, _), (_, end) in zip(reach[1:], reach, strict=False)), len(side)]
        for (start, end), own_from, own_to in zip(reach, edges[:-1], edges[1:], strict=True):
            yield side.part(start, end).asked_within(own_from - start, own_to - start) if len(reach) > 1 else side

    def _append(self, record: int, number: int, window: tuple[_Side, Ids], dropped: int) -> None:
        self.windows_made.append(window)
        self.record.append(record)
        self.number.append(number)
        self.dropped.append(dropped)

    def windows(self) -> Windows:
        nothing = np.zeros(0, dtype=np.int32)
        flat = {
            name: np.concatenate([nothing, *(getattr(side, name) for side, _ in self.windows_made)]) for name in SIDE
        }
        types = np.concatenate([nothing, *(types for _, types in self.windows_made)])
        lengths = np.array([len(side) for side, _ in self.windows_made], dtype=np.int64)
        return Windows(
            tokens={"input_ids": flat["ids"], "token_type_ids": types, "asked": flat["asked"]},
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            record=np.array(self.record, dtype=np.int64),
            number=np.array(self.number, dtype=np.int32),
            dropped=np.array(self.dropped, dtype=np.int32),
            positions={name: flat[name] for name in ("word", "hidden", "sharing")},
        )
