"""Which script a text is mainly written in, by the larger blocks of Unicode: enough to notice rows that are odd."""

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# Chinese and Japanese are one here: both are written in Han, and a Japanese text mixes three scripts.
BLOCKS = {
    "Latin": ((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0x1E00, 0x1EFF), (0xFF21, 0xFF5A)),
    "Han or kana": (
        (0x3040, 0x30FF),
        (0x3400, 0x4DBF),
        (0x4E00, 0x9FFF),
        (0xF900, 0xFAFF),
        (0xFF66, 0xFF9D),
        (0x20000, 0x323AF),
    ),
    "Hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)),
    "Cyrillic": ((0x400, 0x52F),),
    "Greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "Arabic": ((0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC)),
    "Hebrew": ((0x590, 0x5FF),),
    "Devanagari": ((0x900, 0x97F),),
    "another Indic script": ((0x980, 0xDFF),),
    "Thai or Lao": ((0xE00, 0xEFF),),
    "Georgian or Armenian": ((0x10A0, 0x10FF), (0x530, 0x58F)),
    "Ethiopic": ((0x1200, 0x139F),),
    "Khmer or Burmese": ((0x1780, 0x17FF), (0x1000, 0x109F)),
}
SCRIPTS = ("none", *BLOCKS)


def scripts(texts: pa.Array) -> NDArray[np.int8]:
    """Per text the number in `SCRIPTS` of the script with the most letters; 0 where no letter is known."""
    ascii_letters = pc.fill_null(pc.match_substring_regex(texts, "[A-Za-z]"), False)
    result = np.array(ascii_letters.to_numpy(zero_copy_only=False), dtype=np.int8)  # Latin is number 1
    plain = np.array(pc.fill_null(pc.string_is_ascii(texts), True).to_numpy(zero_copy_only=False), dtype=bool)
    others = np.flatnonzero(~plain)
    if len(others):
        result[others] = _counted(texts.take(pa.array(others)))
    return result


def unusual(numbers: NDArray[np.int8], share: float) -> NDArray[np.bool_]:
    """Rows in a script that less than `share` of the rows are in; rows without letters are never unusual."""
    counts = np.bincount(numbers, minlength=len(SCRIPTS))
    rare = counts < share * max(counts[1:].sum(), 1)
    rare[0] = False
    return np.asarray(rare[numbers])


def _counted(texts: pa.Array) -> NDArray[np.int8]:
    lengths = np.asarray(pc.utf8_length(texts).to_numpy(zero_copy_only=False), dtype=np.int64)
    points = np.frombuffer("".join(texts.to_pylist()).encode("utf-32-le"), dtype=np.uint32)
    rows = np.repeat(np.arange(len(texts)), lengths)
    counts = np.bincount(rows * len(SCRIPTS) + _table()[points], minlength=len(texts) * len(SCRIPTS))
    letters = counts.reshape(len(texts), len(SCRIPTS))
    letters[:, 0] = 0  # digits, spaces, emoji: they win only where nothing else is there
    return np.asarray(letters.argmax(axis=1), dtype=np.int8)


@cache
def _table() -> NDArray[np.int8]:
    """Code point to number in `SCRIPTS`."""
    table = np.zeros(0x110000, dtype=np.int8)
    for number, name in enumerate(SCRIPTS):
        for first, last in BLOCKS.get(name, ()):
            table[first : last + 1] = number
    return table
