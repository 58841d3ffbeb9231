"""What a row's texts say of the row alone: one boolean or number per row and fact, over a batch of texts."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Booleans = NDArray[np.bool_]

INVISIBLE = r"[\s\pZ\pC]+"
# Tab, line feed, carriage return and next line are ordinary in text; the rest shows broken input.
CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x{80}-\x{84}\x{86}-\x{9f}]"
SPECIAL = r"\[(?:CLS|SEP|PAD|UNK|MASK)\]|</?s>|<(?:pad|unk|mask)>|<\|[a-z_]+\|>"
EMAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]*[A-Za-z]{2}"
# An international prefix, groups as in North America, or a Chinese mobile number: bare digits are order numbers.
PHONE = r"(?:\+|\b00)[1-9][\d ().-]{7,}\d|\(?\b\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b|\b1[3-9]\d{9}\b"

# Windows-1252 puts printable characters where Latin-1 has C1 controls; mended text needs the bytes back.
TO_BYTES = {
    ord(bytes([byte]).decode("cp1252")): byte
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)  # unassigned in Windows-1252
}
# The first byte of a UTF-8 sequence and a continuation byte, both read as a one-byte encoding.
SUSPECT = "[\u00c2-\u00f4][\u0080-\u00bf" + "".join(re.escape(chr(point)) for point in TO_BYTES) + "]"


def matches(texts: pa.Array, pattern: str) -> Booleans:
    """Whether the text holds the pattern (RE2); a missing text does not."""
    return _booleans(pc.match_substring_regex(texts, pattern))


def lengths(texts: pa.Array) -> NDArray[np.int64]:
    """Characters without the white space around them; 0 for a missing text."""
    return _numbers(pc.utf8_length(pc.utf8_trim_whitespace(texts)))


def is_blank(texts: pa.Array) -> Booleans:
    """Missing, or nothing that could be seen: only spaces, zero-width or control characters."""
    visible = pc.binary_length(pc.replace_substring_regex(texts, INVISIBLE, ""))
    return np.asarray(_numbers(visible) == 0)


def is_mojibake(texts: pa.Array) -> Booleans:
    """UTF-8 that was read as Windows-1252 or Latin-1: the text's bytes there are valid, shorter UTF-8."""
    found = matches(texts, SUSPECT)
    for row in np.flatnonzero(found):
        found[row] = mended(texts[int(row)].as_py()) is not None
    return found


def mended(text: str) -> str | None:
    """What the text would be if it is mojibake, else None; shown to people, never put in the text's place.

    The whole text must be such bytes: part of one happens by itself (French "voilà" before a closing guillemet).
    """
    try:
        better = text.translate(TO_BYTES).encode("latin-1").decode("utf-8")
    except UnicodeError:
        return None
    return better if len(better) < len(text) else None


def has_personal_data(texts: pa.Array) -> Booleans:
    """Something that looks like an e-mail address or a phone number."""
    return matches(texts, f"{EMAIL}|{PHONE}")


def text_facts(columns: Sequence[pa.Array], required: Sequence[bool]) -> dict[str, Booleans | NDArray[np.int64]]:
    """All facts of a batch; a record of several texts has a fact where any of them has it.

    `n_chars` is the longest text's length, `n_chars_shortest` that of the shortest one there is.
    """
    sizes = np.stack([lengths(column) for column in columns])
    present = np.stack([~is_blank(column) for column in columns])
    needed = np.array(required)
    return {
        "n_chars": sizes.max(axis=0),
        "n_chars_shortest": np.where(present, sizes, np.iinfo(np.int64).max).min(axis=0),
        "text_empty": ~present[needed].all(axis=0),
        "enc_replacement": _any(matches(column, "\ufffd") for column in columns),
        "enc_mojibake": _any(is_mojibake(column) for column in columns),
        "ctrl_chars": _any(matches(column, CONTROL) for column in columns),
        "special_literal": _any(matches(column, SPECIAL) for column in columns),
    }


def odd_lengths(n_chars: NDArray[np.int64], measured: Booleans) -> Booleans:
    """Lengths far from the others': beyond three interquartile ranges of their logarithms (Tukey's outer fences).

    The range counts as at least a factor of 1.5, or rows of nearly one length would make every other one odd.
    """
    if not measured.any():
        return np.zeros(len(n_chars), dtype=bool)
    logs = np.log(np.maximum(n_chars, 1))
    low, high = np.quantile(logs[measured], [0.25, 0.75])
    fence = 3 * max(high - low, np.log(1.5))
    return np.asarray(measured & ((logs < low - fence) | (logs > high + fence)))


def _any(facts: Iterable[Booleans]) -> Booleans:
    return np.asarray(np.logical_or.reduce(list(facts)), dtype=bool)


def _booleans(array: pa.Array) -> Booleans:
    return np.array(pc.fill_null(array, False).to_numpy(zero_copy_only=False), dtype=bool)


def _numbers(array: pa.Array) -> NDArray[np.int64]:
    return np.array(pc.fill_null(array, 0).to_numpy(zero_copy_only=False), dtype=np.int64)
