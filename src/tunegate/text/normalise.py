"""When two texts count as the same: the normalised form, and 64-bit keys that stand for texts in comparisons.

Splitting by text, duplicates and leaks all ask here, so that what counts as one text never stands on two sides.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

IGNORED = r"[\pP\pZ\pC\s]+"  # punctuation, spaces, control and format characters; symbols and emoji carry meaning
BETWEEN_TEXTS = "\x1f"  # unit separator: cannot occur in a normalised text


def normalised(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The texts in NFKC and lower case without punctuation and spaces; a text of nothing else keeps them."""
    folded = pc.utf8_lower(pc.utf8_normalize(texts, "NFKC"))
    bare = pc.replace_substring_regex(folded, IGNORED, "")
    return pc.if_else(pc.equal(pc.binary_length(bare), 0), folded, bare)


def exact_keys(columns: Sequence[pa.Array]) -> NDArray[np.uint64]:
    """One key per row, equal where all the texts are the same to the last character."""
    return _hashed(columns)


def near_keys(columns: Sequence[pa.Array]) -> NDArray[np.uint64]:
    """One key per row, equal where all the texts are the same once normalised.

    The plain notion of a near duplicate; whatever finds more of them (MinHash) replaces this function.
    """
    return _hashed([normalised(column) for column in columns])


def _hashed(columns: Sequence[pa.Array]) -> NDArray[np.uint64]:
    """xxh3-64: among a million texts two different ones share a key with a chance of 3 in 100 million."""
    joined = pc.binary_join_element_wise(*columns, BETWEEN_TEXTS, null_handling="replace", null_replacement="")
    values = joined.cast(pa.binary()).to_pylist()
    return np.fromiter(map(xxhash.xxh3_64_intdigest, values), dtype=np.uint64, count=len(values))
