"""A sorted table of keys and values in LevelDB's file format, as TensorFlow writes its `.index` files.

Blocks of entries with shared prefixes, each with a byte for its compression (none or Snappy) and a checksum; an index
block of them; a footer of 48 bytes with the index's place and a magic number.
https://github.com/google/leveldb/blob/main/doc/table_format.md
"""

from collections.abc import Iterator
from itertools import pairwise

from tunegate.models.bundles.crc32c import crc32c, masked
from tunegate.models.bundles.damage import DamageError
from tunegate.models.bundles.wire import varint

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
TRAILER = 5  # a byte for the compression, four for the checksum
MOST_BYTES = 1 << 24  # all blocks unpacked, and all keys: a hundred thousand tensors need less
MOST_ENTRIES = 200_000

_NONE, _SNAPPY = 0, 1
_MOST_SNAPPY_GAIN = 32  # a copy of 64 bytes takes at least three: no true block unpacks to more than 22 times its size


def read_table(data: bytes) -> dict[bytes, bytes]:
    """All entries of a whole file, in the order of their keys. Raises DamageError."""
    if len(data) < FOOTER or int.from_bytes(data[-8:], "little") != MAGIC:
        raise DamageError("it does not end as an index file does, so it is none or was cut short")
    _, _, at = _place(data[-FOOTER:-8], 0)
    start, size, _ = _place(data[-FOOTER:-8], at)
    table: dict[bytes, bytes] = {}
    total = 0
    for _, place in _entries(_block(data, start, size)).items():
        block = _block(data, *_place(place, 0)[:2])
        total += len(block)
        if total > MOST_BYTES:  # also where many index entries name one block
            raise DamageError(f"its blocks unpack to more than {MOST_BYTES:,} bytes")
        table |= _entries(block)
    if len(table) > MOST_ENTRIES or any(one >= other for one, other in pairwise(table)):
        raise DamageError("its keys are not in order, or too many")
    return table


def _place(data: bytes, at: int) -> tuple[int, int, int]:
    """A block's start and size, and where the next place is written."""
    start, at = varint(data, at)
    size, at = varint(data, at)
    return start, size, at


def _block(data: bytes, start: int, size: int) -> bytes:
    end = start + size
    if end + TRAILER > len(data) - FOOTER:
        raise DamageError("a block reaches beyond the end of the file")
    kind = data[end]
    if masked(crc32c(data[start : end + 1])) != int.from_bytes(data[end + 1 : end + TRAILER], "little"):
        raise DamageError(f"the checksum of the block at byte {start} is wrong")
    content = data[start:end]
    if kind == _NONE:
        return content
    if kind == _SNAPPY:
        return _unpacked(content)
    raise DamageError(f"a block is compressed in a way that is not known here ({kind})")


def _unpacked(content: bytes) -> bytes:
    import pyarrow as pa

    size, _ = varint(content, 0)
    if size > min(_MOST_SNAPPY_GAIN * len(content), MOST_BYTES):
        raise DamageError("a compressed block says it is larger than it can be")
    try:
        unpacked: bytes = pa.decompress(content, decompressed_size=size, codec="snappy", asbytes=True)
    except (OSError, ValueError) as error:
        raise DamageError("a compressed block cannot be unpacked") from error
    return unpacked


def _entries(block: bytes) -> dict[bytes, bytes]:
    entries: dict[bytes, bytes] = {}
    previous, size = None, 0
    for key, value in _walk(block):
        size += len(key)  # a few bytes can repeat a long prefix
        if (previous is not None and key <= previous) or size > MOST_BYTES or len(entries) >= MOST_ENTRIES:
            raise DamageError("its keys are not in order, or too many")
        entries[key] = value
        previous = key
    return entries


def _walk(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(block) < 4:
        raise DamageError("a block is too short")
    restarts = int.from_bytes(block[-4:], "little")  # places for binary search, which reading all does not need
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise DamageError("a block names more restarts than it can hold")
    at, key = 0, b""
    while at < end:
        shared, at = varint(block, at)
        fresh, at = varint(block, at)
        length, at = varint(block, at)
        if shared > len(key) or at + fresh + length > end:
            raise DamageError("an entry reaches beyond its block")
        key = key[:shared] + block[at : at + fresh]
        at += fresh + length
        yield key, block[at - length : at]
