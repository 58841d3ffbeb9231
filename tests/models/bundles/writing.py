"""A tiny writer of TensorFlow's checkpoint files, for tests; made from the format's description, not the reader."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

KINDS = {
    "float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "complex64": 8, "int64": 9,
    "bool": 10, "uint16": 17, "complex128": 18, "float16": 19, "uint32": 22, "uint64": 23,
}  # fmt: skip
BFLOAT16, STRING = 14, 7


def slow_masked_crc(data: bytes) -> int:
    """Bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def quick_masked_crc(data: bytes) -> int:
    from tunegate.models.bundles.crc32c import crc32c, masked  # held equal to the slow one by a test

    return masked(crc32c(data))


def number(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(key: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return number(key << 3) + number(value)
    return number(key << 3 | 2) + number(len(value)) + value


def shape_message(shape: Sequence[int]) -> bytes:
    return b"".join(field(2, field(1, size)) for size in shape)


def entry(kind: int, shape: Sequence[int], shard: int, offset: int, raw: bytes) -> bytes:
    return (
        field(1, kind)
        + field(2, shape_message(shape))
        + field(3, shard)
        + field(4, offset)
        + field(5, len(raw))
        + number(6 << 3 | 5)
        + quick_masked_crc(raw).to_bytes(4, "little")
    )


def block(entries: Sequence[tuple[bytes, bytes]], *, interval: int = 4) -> bytes:
    out, restarts, last = b"", [], b""
    for place, (key, value) in enumerate(entries):
        shared = 0
        if place % interval == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        out += number(shared) + number(len(key) - shared) + number(len(value)) + key[shared:] + value
        last = key
    return out + b"".join(at.to_bytes(4, "little") for at in restarts) + len(restarts).to_bytes(4, "little")


def table(entries: Sequence[tuple[bytes, bytes]], *, per_block: int = 5, snappy: bool = False) -> bytes:
    out, index = b"", []

    def put(content: bytes) -> bytes:
        nonlocal out
        stored = pa.compress(content, codec="snappy", asbytes=True) if snappy else content
        place = number(len(out)) + number(len(stored))
        typed = stored + bytes([int(snappy)])
        out += typed + quick_masked_crc(typed).to_bytes(4, "little")
        return place

    for start in range(0, len(entries), per_block):
        some = entries[start : start + per_block]
        index.append((some[-1][0], put(block(some))))
    handles = put(block([])) + put(block(index, interval=1))
    return out + handles.ljust(40, b"\x00") + (0xDB4775248B80FB57).to_bytes(8, "little")


def write_bundle(
    prefix: Path,
    tensors: Mapping[str, np.ndarray],
    *,
    shards: int = 1,
    big_endian: bool = False,
    bfloat16: Sequence[str] = (),
    snappy: bool = False,
    extra: Mapping[bytes, bytes] | None = None,
) -> Path:
    """Writes `prefix.index` and the data files, tensors dealt to them in turn; those in `bfloat16` from float32."""
    data = [b""] * shards
    entries = {b"": field(1, shards) + (field(2, 1) if big_endian else b"") + field(3, field(1, 1))}
    for place, (name, given) in enumerate(sorted(tensors.items())):
        kind, values = KINDS[given.dtype.name], given
        if name in bfloat16:
            kind, values = BFLOAT16, (given.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        raw = values.astype(values.dtype.newbyteorder(">" if big_endian else "<")).tobytes()
        shard = place % shards
        entries[name.encode()] = entry(kind, values.shape, shard, len(data[shard]), raw)
        data[shard] += raw
    entries |= extra or {}
    prefix.parent.mkdir(parents=True, exist_ok=True)
    prefix.with_name(prefix.name + ".index").write_bytes(table(sorted(entries.items()), snappy=snappy))
    for shard, raw in enumerate(data):
        prefix.with_name(f"{prefix.name}.data-{shard:05d}-of-{shards:05d}").write_bytes(raw)
    return prefix
