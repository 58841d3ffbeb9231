"""CRC-32C (Castagnoli), the checksum of TensorFlow's files, by numpy.

A CRC is linear over GF(2): of two neighbours, crc(a + b) = shift(crc(a), len(b)) ^ crc(b), where the shift over a
length is a 32 x 32 bit matrix, kept as two tables of 65,536 entries. All words of eight bytes are summed at once, then
neighbours pair by pair: a few hundred megabytes a second, where a loop over bytes makes five.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]

POLYNOMIAL = 0x82F63B78  # bits in reverse order, as in RFC 3720
WORD = 8  # bytes that the lowest level takes at once
CHUNK = 1 << 22  # bytes in one go: some 20 MB of scratch space
_MASK_DELTA = 0xA282EAD8  # LevelDB's mask, so that a checksum of checksums is not degenerate


def crc32c(data: bytes | memoryview | NDArray[np.uint8]) -> int:
    """The checksum of all bytes; b"123456789" gives 0xE3069283."""
    given = np.frombuffer(data, dtype=np.uint8)
    length = len(given)
    total = 0
    first = length % CHUNK or min(length, CHUNK)  # leading zeros change nothing, so the first chunk may be short
    for end in range(first, length + 1, CHUNK) if length else ():
        total = _apply(_shift(CHUNK), total) ^ _plain(given[max(0, end - CHUNK) : end])
    return total ^ _start(length) ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """The form that LevelDB and TensorFlow store: rotated by 15 bits, plus a constant."""
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def _plain(chunk: NDArray[np.uint8]) -> int:
    """The CRC from 0, without inversions, of at most CHUNK bytes: their word count is raised to a power of two."""
    count = 1 << max(0, (-(-len(chunk) // WORD) - 1).bit_length())
    padded = np.zeros(count * WORD, dtype=np.uint8)
    padded[len(padded) - len(chunk) :] = chunk
    halves = padded.view("<u2").reshape(count, 4)
    tables = _word_tables()
    crcs = tables[0][halves[:, 0]]
    for place in range(1, 4):
        crcs ^= tables[place][halves[:, place]]
    length = WORD
    while len(crcs) > 1:
        crcs = _apply_all(_shift(length), crcs[0::2]) ^ crcs[1::2]
        length *= 2
    return int(crcs[0])


def _start(length: int) -> int:
    """What the initial value of all ones has become after that many bytes."""
    value, power = 0xFFFFFFFF, 1
    while length:
        if length & 1:
            value = _apply(_shift(power), value)
        length >>= 1
        power *= 2
    return value


def _apply(tables: Words, crc: int) -> int:
    return int(tables[0, crc & 0xFFFF] ^ tables[1, crc >> 16])


def _apply_all(tables: Words, crcs: Words) -> Words:
    shifted: Words = tables[0][crcs & 0xFFFF]
    shifted ^= tables[1][crcs >> 16]
    return shifted


@cache
def _shift(length: int) -> Words:
    """Tables [2, 65536] of the shift over `length` zero bytes, a power of two."""
    if length > 1:
        half = _shift(length // 2)
        return _tables(_apply_all(half, _apply_all(half, _basis())))
    one_byte: Words = _basis()
    for _ in range(8):
        one_byte = (one_byte >> np.uint32(1)) ^ (one_byte & np.uint32(1)) * np.uint32(POLYNOMIAL)
    return _tables(one_byte)


@cache
def _word_tables() -> Words:
    """Tables [4, 65536]: what each of a word's four pairs of bytes adds to its CRC."""
    return np.concatenate([_shift(8), _shift(4)])


def _basis() -> Words:
    return np.uint32(1) << np.arange(32, dtype=np.uint32)


def _tables(images: Words) -> Words:
    """The images [32] of single bits, as tables of the images of all low and of all high halves."""
    tables = np.zeros((2, 1 << 16), dtype=np.uint32)
    for bit in range(16):
        tables[:, 1 << bit : 2 << bit] = tables[:, : 1 << bit] ^ images[[bit, bit + 16]][:, None]
    return tables
