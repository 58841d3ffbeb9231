"""The values of an index file: TensorFlow's BundleHeaderProto and BundleEntryProto.

https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/tensor_bundle.proto
"""

from dataclasses import dataclass
from math import prod

from tunegate.models.bundles.damage import DamageError
from tunegate.models.bundles.wire import fields, inner, signed

MOST_SHARDS = 100_000  # five digits in the files' names
MOST_AXES = 32  # numpy takes 64, TensorFlow 254; weights have two

Extent = tuple[int, int]  # start and length along an axis; length -1: all of it
_MOST_ELEMENTS = 1 << 48  # also beside an axis of length 0: numpy refuses larger shapes
_KNOWN_VERSION = 1  # of the format: no file asks for more


@dataclass(frozen=True)
class Header:
    """How many data files there are, and in which order their bytes stand."""

    shards: int
    big_endian: bool


@dataclass(frozen=True)
class Entry:
    """Where one tensor lies. `kind` is TensorFlow's number of its dtype; `slices` is for tensors saved in parts."""

    kind: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int
    slices: tuple[tuple[Extent, ...], ...]

    @property
    def elements(self) -> int:
        return prod(self.shape)


def read_header(message: bytes) -> Header:
    """Raises DamageError."""
    shards, order, minimum = 0, 0, 0
    for number, value in fields(message):
        if number == 1:
            shards = signed(value)
        elif number == 2:
            order = signed(value)
        elif number == 3:
            minimum = next((signed(v) for n, v in fields(inner(value)) if n == 2), 0)
    if not 0 < shards < MOST_SHARDS:
        raise DamageError(f"its header speaks of {shards} data files")
    if order not in (0, 1) or minimum > _KNOWN_VERSION:
        raise DamageError(f"its header asks for byte order {order} and a reader of version {minimum}")
    return Header(shards, order == 1)


def read_entry(message: bytes) -> Entry:
    """Raises DamageError."""
    numbers = {1: 0, 3: 0, 4: 0, 5: 0, 6: 0}
    shape: tuple[int, ...] = ()
    slices: list[tuple[Extent, ...]] = []
    for number, value in fields(message):
        if number == 2:
            shape = _shape(inner(value))
        elif number == 7:
            slices.append(_slice(inner(value)))
        elif number in numbers:
            numbers[number] = signed(value)
    if min(numbers.values()) < 0:
        raise DamageError("an entry holds a negative place or size")
    return Entry(numbers[1], shape, numbers[3], numbers[4], numbers[5], numbers[6], tuple(slices))


def _shape(message: bytes) -> tuple[int, ...]:
    axes = [_axis(inner(value)) for number, value in fields(message) if number == 2]
    if len(axes) > MOST_AXES or min(axes, default=0) < 0 or prod(max(1, size) for size in axes) > _MOST_ELEMENTS:
        raise DamageError("an entry's shape is none")
    if any(number == 3 and value for number, value in fields(message)):
        raise DamageError("an entry's shape is unknown")
    return tuple(axes)


def _axis(message: bytes) -> int:
    return next((signed(value) for number, value in fields(message) if number == 1), 0)


def _slice(message: bytes) -> tuple[Extent, ...]:
    return tuple(_extent(inner(value)) for number, value in fields(message) if number == 1)


def _extent(message: bytes) -> Extent:
    start, length = 0, -1
    for number, value in fields(message):
        if number == 1:
            start = signed(value)
        elif number == 2:
            length = signed(value)
    return start, length
