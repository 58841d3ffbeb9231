"""Edited texts: pairs of rows, one of each version, whose texts share most of their pieces. Vectorised throughout.

Pieces are three characters long (two in Chinese, Japanese and Korean), of the normalised text. Candidates share a band
of their MinHash signatures (Broder 1997; bands: Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, 3.4); each
is then measured exactly. With eight bands of two, a pair at the least similarity is found 97 times in 100.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunegate.data_versions.matching import Rows, combined, ramp
from tunegate.text.normalise import normalised

LEAST = 0.6  # Jaccard similarity of the pieces: sentences made from one template with two words changed stay below
BANDS, PER_BAND = 8, 2
BUCKET = (
    8  # rows of one side that a band's bucket compares: a sentence repeated a thousand times needs no million pairs
)
AT_ONCE = 50_000  # pairs or texts
CJK = 0x2E80  # code points from here on: one character says as much as a word's part elsewhere

Hashes = NDArray[np.uint64]
Texts = Callable[[Rows], pa.Array]
"""Row numbers to the rows' texts."""


@dataclass(frozen=True)
class NearPairs:
    """`similarity` float32 [n], from LEAST to 1."""

    before: Rows
    after: Rows
    similarity: NDArray[np.float32]


def near_pairs(texts_before: Texts, before: Rows, texts_after: Texts, after: Rows) -> NearPairs:
    """The most alike first; every row is in one pair at most."""
    if not len(before) or not len(after):
        return NearPairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    left, right = _candidates(_signatures(texts_before, before), _signatures(texts_after, after))
    measured = [
        _similarity(
            texts_before(before[left[start : start + AT_ONCE]]), texts_after(after[right[start : start + AT_ONCE]])
        )
        for start in range(0, len(left), AT_ONCE)
    ]
    similarity = np.concatenate([np.zeros(0, np.float32), *measured])
    near = similarity >= LEAST
    chosen = _best(left[near], right[near], similarity[near])
    return NearPairs(before[left[near][chosen]], after[right[near][chosen]], similarity[near][chosen])


def _signatures(texts: Texts, rows: Rows) -> NDArray[np.uint32]:
    """MinHash values uint32 [n, BANDS * PER_BAND]; of an empty text the row's own number, which nothing shares."""
    parts = []
    for start in range(0, len(rows), AT_ONCE):
        pieces, counts = _pieces(texts(rows[start : start + AT_ONCE]))
        part = np.repeat(np.arange(len(counts), dtype=np.uint32)[:, None], BANDS * PER_BAND, axis=1)
        filled = counts > 0
        if filled.any():
            starts = (np.cumsum(counts) - counts)[filled]
            for number, seed in enumerate(_SEEDS):
                part[filled, number] = np.minimum.reduceat(_mixed(pieces ^ seed) >> np.uint64(32), starts)
        parts.append(part)
    return np.concatenate(parts)


def _candidates(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> tuple[Rows, Rows]:
    """Pairs that share a band, each once."""
    found = [np.zeros(0, dtype=np.int64)]
    for band in range(BANDS):
        columns = slice(band * PER_BAND, (band + 1) * PER_BAND)
        in_left, in_right = _crossed(_band(left[:, columns]), _band(right[:, columns]))
        alike = (left[in_left] == right[in_right]).mean(axis=1) >= LEAST / 2  # far below: cannot measure up
        found.append(in_left[alike] * len(right) + in_right[alike])
    numbers = np.unique(np.concatenate(found))
    return numbers // len(right), numbers % len(right)


def _band(values: NDArray[np.uint32]) -> Hashes:
    return combined([values[:, number].astype(np.uint64) for number in range(values.shape[1])])


def _crossed(left: Hashes, right: Hashes) -> tuple[Rows, Rows]:
    """All pairs of equal keys, of each side the first BUCKET ones."""
    left_order, right_order = np.argsort(left, kind="stable"), np.argsort(right, kind="stable")
    left_keys, left_starts, left_counts = np.unique(left[left_order], return_index=True, return_counts=True)
    right_keys, right_starts, right_counts = np.unique(right[right_order], return_index=True, return_counts=True)
    _, in_left, in_right = np.intersect1d(left_keys, right_keys, assume_unique=True, return_indices=True)
    lefts, rights = np.minimum(left_counts[in_left], BUCKET), np.minimum(right_counts[in_right], BUCKET)
    pairs = lefts * rights
    step = ramp(pairs)
    return (
        left_order[np.repeat(left_starts[in_left], pairs) + step // np.repeat(rights, pairs)],
        right_order[np.repeat(right_starts[in_right], pairs) + step % np.repeat(rights, pairs)],
    )


def _similarity(left: pa.Array, right: pa.Array) -> NDArray[np.float32]:
    """Jaccard similarity of the pieces of each pair of texts, float32 [n]."""
    mine, others = _distinct(left), _distinct(right)
    shared = np.bincount(
        (np.intersect1d(mine, others, assume_unique=True) >> np.uint64(32)).astype(np.int64), minlength=len(left)
    )
    sizes = [np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=len(left)) for keys in (mine, others)]
    return np.asarray(shared / np.maximum(sizes[0] + sizes[1] - shared, 1), dtype=np.float32)


def _distinct(texts: pa.Array) -> Hashes:
    """Row number in the upper and piece in the lower 32 bits, each once."""
    pieces, counts = _pieces(texts)
    rows = np.repeat(np.arange(len(counts), dtype=np.uint64), counts)
    return np.unique((rows << np.uint64(32)) | (_mixed(pieces) >> np.uint64(32)))


def _pieces(texts: pa.Array) -> tuple[Hashes, Rows]:
    """A number per piece, row after row, and the number of pieces per row: one starts at every character."""
    plain = normalised(pc.fill_null(texts, ""))
    counts = np.asarray(pc.utf8_length(plain), dtype=np.int64)
    joined = pa.array(plain.to_numpy(zero_copy_only=False)) if plain.null_count else plain
    points = np.frombuffer(_bytes(joined).decode().encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    left = np.repeat(np.cumsum(counts), counts) - np.arange(len(points))  # characters to the row's end, itself included
    padded = np.concatenate([points, np.zeros(2, dtype=np.uint64)])
    second = np.where(left > 1, padded[1:-1], 0).astype(np.uint64)
    third = np.where((left > 2) & (points < CJK), padded[2:], 0).astype(np.uint64)
    return (points << np.uint64(42)) | (second << np.uint64(21)) | third, counts


def _bytes(texts: pa.Array) -> bytes:
    """The texts' bytes one after the other."""
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = texts.buffers()[2]
    return b"" if data is None else data.slice(int(offsets[0]), int(offsets[-1] - offsets[0])).to_pybytes()


def _best(left: Rows, right: Rows, similarity: NDArray[np.float32]) -> Rows:
    """Which pairs stay when the most alike take each other first, and so on among the rest."""
    waiting = np.lexsort((right, left, -similarity))
    chosen: list[Rows] = []
    while len(waiting):
        first_left = np.isin(np.arange(len(waiting)), np.unique(left[waiting], return_index=True)[1])
        first_right = np.isin(np.arange(len(waiting)), np.unique(right[waiting], return_index=True)[1])
        chosen.append(waiting[first_left & first_right])
        gone = np.isin(left[waiting], left[chosen[-1]]) | np.isin(right[waiting], right[chosen[-1]])
        waiting = waiting[~gone]
    return np.concatenate([np.zeros(0, dtype=np.int64), *chosen])


def _mixed(values: Hashes) -> Hashes:
    """MurmurHash3's finaliser (A. Appleby): every bit of the result depends on every bit of the value."""
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))


_SEEDS = _mixed(np.arange(1, BANDS * PER_BAND + 1, dtype=np.uint64))
