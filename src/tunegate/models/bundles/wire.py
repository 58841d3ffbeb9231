"""Protocol buffers' wire format: enough to read small messages of known fields.

https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator

from tunegate.models.bundles.damage import DamageError

Value = int | bytes

_MOST_BYTES = 10  # of a varint of 64 bits
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The unsigned number at a place, and the place after it. Raises DamageError."""
    value = 0
    for number in range(_MOST_BYTES):
        if at + number >= len(data):
            raise DamageError("it ends inside a number")
        byte = data[at + number]
        value |= (byte & 0x7F) << (7 * number)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + number + 1
    raise DamageError("a number is longer than 64 bits")


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """Field numbers with unsigned numbers, or with the bytes of strings and inner messages. Raises DamageError."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value: Value
            value, at = varint(message, at)
        elif kind == _BYTES:
            size, at = varint(message, at)
            value, at = _taken(message, at, size), at + size
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
            value, at = int.from_bytes(_taken(message, at, size), "little"), at + size
        else:
            raise DamageError(f"a field of unknown kind {kind}")
        yield key >> 3, value


def signed(value: Value) -> int:
    """A varint as the int32 or int64 that was written. Raises DamageError when the field is not a number."""
    if not isinstance(value, int):
        raise DamageError("bytes stand where a number should")
    return value - (1 << 64) if value >> 63 else value


def inner(value: Value) -> bytes:
    """The bytes of an inner message or string. Raises DamageError when the field is a number."""
    if not isinstance(value, bytes):
        raise DamageError("a number stands where a message should")
    return value


def _taken(message: bytes, at: int, size: int) -> bytes:
    if size > len(message) - at:
        raise DamageError("a message ends early")
    return message[at : at + size]
