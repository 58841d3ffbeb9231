"""Which split a row belongs to: a hash of its group or text and the seed decides, and nothing else.

New rows never move old ones, and growing the test share only adds rows to it. Rows that count as one text share
a side.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from tunegate.params import SplitSettings
from tunegate.records import SPLITS
from tunegate.text.normalise import BETWEEN_TEXTS, normalised

TRAIN, VALIDATION, TEST = range(3)  # places in SPLITS
RANGE = 2.0**64


def split_by_hash(texts: Sequence[pa.Array], groups: pa.Array, settings: SplitSettings) -> pa.Array:
    """The split's name per row, string [n]; `texts` are the row's text columns, `groups` may hold nulls."""
    u = _hashes(split_keys(texts, groups), settings.seed)
    numbers = np.full(len(u), TRAIN)
    numbers[u < settings.test + settings.validation] = VALIDATION
    numbers[u < settings.test] = TEST
    return pa.array(SPLITS, pa.string()).take(pa.array(numbers))


def split_keys(texts: Sequence[pa.Array], groups: pa.Array) -> pa.Array:
    """What rows on one side have in common: the group, else the normalised texts (an absent text counts as empty)."""
    plain = [pc.fill_null(normalised(text), "") for text in texts]
    joined = pc.binary_join_element_wise("text", *plain, BETWEEN_TEXTS)
    grouped = pc.binary_join_element_wise("group", groups, BETWEEN_TEXTS)
    return pc.if_else(pc.is_null(groups), joined, grouped)


def _hashes(keys: pa.Array, seed: int) -> NDArray[np.float64]:
    """Numbers between 0 and 1, one per key."""
    salt = f"{seed}{BETWEEN_TEXTS}".encode()
    values = (salt + key for key in keys.cast(pa.binary()).to_pylist())
    return np.fromiter(map(xxhash.xxh3_64_intdigest, values), dtype=np.uint64, count=len(keys)) / RANGE
