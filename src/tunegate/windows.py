"""What an encoder reads: windows of tokens, kept flat, and how a few of them become one padded batch.

Numbers only: neither texts nor tasks are known here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.generic]]

PAD_MULTIPLE = 8  # sequence lengths are padded to multiples of this: what matrix kernels and graph caches like


@dataclass(frozen=True)
class Windows:
    """`n` windows over `t` tokens in all; window `w` is the slice `offsets[w]:offsets[w + 1]` of every flat array.

    tokens: named model inputs, each int32 [t] (`input_ids` always; `token_type_ids` where the model has it).
    offsets: int64 [n + 1]. record: int64 [n], the row of the records' table that the window was made from.
    number: int32 [n], which of its record's windows (or options) it is, from 0.
    positions: per token, each int32 [t], for tasks that read answers off tokens: `start` and `end` (characters
    in the text), `word`, `owned` (1 where this window answers for the position). Empty for whole-text answers.
    dropped: int32 [n], tokens of the record that no window holds (cut at the maximal length).
    """

    tokens: Mapping[str, NDArray[np.int32]]
    offsets: NDArray[np.int64]
    record: NDArray[np.int64]
    number: NDArray[np.int32]
    dropped: NDArray[np.int32]
    positions: Mapping[str, NDArray[np.int32]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.record) == len(self.number) == len(self.dropped) == len(self.offsets) - 1:
            raise ValueError("every window needs a record, a number, a dropped count and an offset")
        if any(len(array) != self.offsets[-1] for array in (*self.tokens.values(), *self.positions.values())):
            raise ValueError("every flat array needs one value per token")

    def __len__(self) -> int:
        return len(self.record)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens per window, int64 [n]."""
        return np.diff(self.offsets)

    def batch(self, chosen: NDArray[np.int64], pad: Mapping[str, int], multiple: int = PAD_MULTIPLE) -> Arrays:
        """The chosen windows padded on the right: int64 [b, l] each, with `attention_mask`; `pad` gives pad values."""
        lengths = self.lengths[chosen]
        column = np.arange(padded_width(lengths, multiple))
        inside = column < lengths[:, None]
        index = np.where(inside, self.offsets[chosen][:, None] + column, 0)
        arrays: Arrays = {
            name: np.where(inside, flat[index], pad.get(name, 0)).astype(np.int64) for name, flat in self.tokens.items()
        }
        arrays["attention_mask"] = inside.astype(np.int64)
        return arrays

    def padded(self, flat: NDArray[np.generic], chosen: NDArray[np.int64], fill: int, multiple: int) -> Any:
        """A flat array's values of the chosen windows as `batch` lays them out, [b, l]; `fill` beyond their ends."""
        lengths = self.lengths[chosen]
        column = np.arange(padded_width(lengths, multiple))
        inside = column < lengths[:, None]
        return np.where(inside, flat[np.where(inside, self.offsets[chosen][:, None] + column, 0)], fill)

    def starts(self, records: int) -> NDArray[np.int64]:
        """Where each of so many records' windows start, int64 [records + 1]: those of record r are `starts[r]` up to
        `starts[r + 1]`. A record's windows stand together; one may have none."""
        return np.searchsorted(self.record, np.arange(records + 1)).astype(np.int64)

    def take(self, chosen: NDArray[np.int64]) -> "Windows":
        """The chosen windows, in that order, with their record numbers unchanged."""
        lengths = self.lengths[chosen]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        index = np.repeat(self.offsets[chosen] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Windows(
            tokens={name: flat[index] for name, flat in self.tokens.items()},
            offsets=offsets,
            record=self.record[chosen],
            number=self.number[chosen],
            dropped=self.dropped[chosen],
            positions={name: flat[index] for name, flat in self.positions.items()},
        )


def padded_width(lengths: NDArray[np.int64], multiple: int = PAD_MULTIPLE) -> int:
    """How wide a batch of windows of these lengths is, at least one multiple."""
    return -(-int(lengths.max(initial=1)) // multiple) * multiple


def joined(parts: Sequence[Windows], records: Sequence[int]) -> Windows:
    """Windows made piece by piece as those of the whole; `records` says how many records each piece was made from."""
    starts = np.concatenate([[0], np.cumsum(records)])[: len(parts)]
    tokens = np.concatenate([[0], np.cumsum([part.offsets[-1] for part in parts])])[: len(parts)]
    return Windows(
        tokens={name: np.concatenate([part.tokens[name] for part in parts]) for name in parts[0].tokens},
        offsets=np.concatenate([[0], *(part.offsets[1:] + start for part, start in zip(parts, tokens, strict=True))]),
        record=np.concatenate([part.record + start for part, start in zip(parts, starts, strict=True)]),
        number=np.concatenate([part.number for part in parts]),
        dropped=np.concatenate([part.dropped for part in parts]),
        positions={name: np.concatenate([part.positions[name] for part in parts]) for name in parts[0].positions},
    )


def length_sorted_batches(lengths: NDArray[np.int64], max_tokens: int) -> list[NDArray[np.int64]]:
    """Window numbers in batches of similar length, each within `max_tokens` padded tokens (at least one window)."""
    order = np.argsort(lengths, kind="stable")
    batches: list[NDArray[np.int64]] = []
    start = 0
    for end in range(1, len(order) + 1):
        width = -(-int(lengths[order[end]]) // PAD_MULTIPLE) * PAD_MULTIPLE if end < len(order) else 0
        if end == len(order) or width * (end + 1 - start) > max_tokens:
            batches.append(order[start:end].astype(np.int64))
            start = end
    return batches
