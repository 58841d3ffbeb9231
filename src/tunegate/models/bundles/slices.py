"""Tensors that were saved in parts (partitioned variables): under which key the index names each part.

The keys are TensorFlow's `EncodeTensorNameSlice`, in its order-preserving code.
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/lib/strings/ordered_code.cc
"""

from collections.abc import Sequence

from tunegate.models.bundles.damage import DamageError
from tunegate.models.bundles.entries import Extent


def slice_key(name: str, extents: Sequence[Extent]) -> bytes:
    """The key of the part of the tensor `name` that these extents cut out, one per axis."""
    escaped = name.encode().replace(b"\x00", b"\x00\xff")  # UTF-8 holds no 0xff, which would be escaped too
    code = _number(0) + escaped + b"\x00\x01" + _number(len(extents))
    return code + b"".join(_signed(start) + _signed(length) for start, length in extents)


def places(extents: Sequence[Extent], shape: Sequence[int]) -> tuple[slice, ...]:
    """Where the part stands in the whole. Raises DamageError when it reaches beyond it."""
    if len(extents) != len(shape):
        raise DamageError("a part of a tensor has other axes than the whole")
    found = []
    for (start, length), size in zip(extents, shape, strict=True):
        end = size if length < 0 else start + length
        if not 0 <= start <= end <= size:
            raise DamageError("a part of a tensor reaches beyond the whole")
        found.append(slice(start, end))
    return tuple(found)


def _number(value: int) -> bytes:
    digits = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([len(digits)]) + digits


def _signed(value: int) -> bytes:
    """n bytes for -2^(7n-1) to 2^(7n-1): n in the leading ones, then the sign turned over, then the number."""
    length = (~value if value < 0 else value).bit_length() // 7 + 1
    header = ((1 << length) - 1) << (7 * length)
    return ((value & ((1 << (8 * length)) - 1)) ^ header).to_bytes(length, "big")
