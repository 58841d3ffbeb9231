"""A checkpoint: its tensors' names and shapes, and their numbers one at a time."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunegate.errors import UserError
from tunegate.models.bundles.crc32c import crc32c, masked
from tunegate.models.bundles.damage import DamageError
from tunegate.models.bundles.entries import Entry, Extent, Header, read_entry, read_header
from tunegate.models.bundles.slices import places, slice_key
from tunegate.models.bundles.table import MOST_BYTES, read_table

DTYPES = {  # TensorFlow's numbers (types.proto) of what has a numpy type
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 8: "complex64", 9: "int64",
    10: "bool", 17: "uint16", 18: "complex128", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip
BFLOAT16 = 14  # read as float32, which holds it exactly
_BRING_AGAIN = "Bring the checkpoint's files again; .index and .data belong together."


@dataclass(frozen=True)
class Tensor:
    """What the index says of a tensor. `dtype` is numpy's name, "bfloat16", or "type N" for what is not numbers."""

    name: str
    shape: tuple[int, ...]
    dtype: str


class Bundle:
    """The checkpoint `prefix`: files `prefix.index` and `prefix.data-00000-of-0000N`."""

    def __init__(self, prefix: Path) -> None:
        """Reads and checks the index. Raises UserError."""
        self.index = prefix.with_name(f"{prefix.name}.index")
        self._prefix = prefix
        try:
            table = read_table(_small_file(self.index))
            self._header: Header = read_header(table.pop(b"", b""))
            every = {key: read_entry(value) for key, value in table.items()}
            self._claimed = sum(entry.size for entry in every.values())
            self._slices = {key: entry for key, entry in every.items() if key[:1] == b"\x00"}
            self._entries = {_name(key): entry for key, entry in every.items() if key not in self._slices}
        except DamageError as error:
            raise UserError(f"{self.index} is damaged: {error}.", _BRING_AGAIN) from error

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, in the order of their names."""
        return {name: Tensor(name, entry.shape, _dtype_name(entry.kind)) for name, entry in self._entries.items()}

    def read(self, name: str) -> NDArray[Any]:
        """A tensor's numbers, their checksum checked; bfloat16 as float32. Raises UserError, KeyError."""
        entry = self._entries[name]
        try:
            self._check_total()
            return self._parts(name, entry) if entry.slices else self._whole(entry)
        except DamageError as error:
            raise UserError(f"{self._prefix}: the tensor {name} cannot be read: {error}.", _BRING_AGAIN) from error

    def _whole(self, entry: Entry) -> NDArray[Any]:
        stored = _stored_type(entry.kind)
        if entry.elements * stored.itemsize != entry.size:
            raise DamageError(f"{entry.size:,} bytes do not make the shape {list(entry.shape)} of {stored.name}")
        raw = self._bytes(entry)
        if masked(crc32c(raw)) != entry.crc:
            raise DamageError("its checksum is wrong")
        numbers = raw.view(stored.newbyteorder(">" if self._header.big_endian else "<"))
        if entry.kind == BFLOAT16:
            return (numbers.astype(np.uint32) << 16).view(np.float32).reshape(entry.shape)
        return numbers.astype(stored, copy=False).reshape(entry.shape)

    def _bytes(self, entry: Entry) -> NDArray[np.uint8]:
        if entry.shard >= self._header.shards:
            raise DamageError(f"it lies in data file {entry.shard} of {self._header.shards}")
        path = self._prefix.with_name(f"{self._prefix.name}.data-{entry.shard:05d}-of-{self._header.shards:05d}")
        if not path.is_file():
            raise DamageError(f"the data file {path.name} is not there")
        held = path.stat().st_size
        if entry.offset + entry.size > held:  # before anything of that size is made
            raise DamageError(f"it ends at byte {entry.offset + entry.size:,} and {path.name} holds {held:,}")
        return np.fromfile(path, dtype=np.uint8, count=entry.size, offset=entry.offset)

    def _check_total(self) -> None:
        """No bytes are two tensors': else a small file could name itself ten thousand times."""
        if self._claimed > sum(path.stat().st_size for path in self._prefix.parent.glob(f"{self._prefix.name}.data-*")):
            raise DamageError("the index speaks of more bytes than all data files hold")

    def _parts(self, name: str, entry: Entry) -> NDArray[Any]:
        parts = [(places(extents, entry.shape), self._part(name, entry, extents)) for extents in entry.slices]
        if sum(part.elements for _, part in parts) != entry.elements:
            raise DamageError("its parts do not make the whole")
        read = [(place, self._whole(part)) for place, part in parts]  # as large as the files, whatever the shape says
        whole = np.zeros(entry.shape, dtype=read[0][1].dtype)
        covered = np.zeros(entry.shape, dtype=bool)
        for place, numbers in read:
            whole[place], covered[place] = numbers, True
        if not covered.all():
            raise DamageError("its parts do not make the whole")
        return whole

    def _part(self, name: str, entry: Entry, extents: tuple[Extent, ...]) -> Entry:
        part = self._slices.get(slice_key(name, extents))
        if part is None:
            raise DamageError("a part of it is not in the index")
        shape = tuple(place.stop - place.start for place in places(extents, entry.shape))
        if part.kind != entry.kind or part.shape != shape or part.slices:
            raise DamageError("a part of it is of another kind or shape than the index says")
        return part


def _small_file(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DamageError(f"it holds more than {MOST_BYTES:,} bytes, which no index does")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.", _BRING_AGAIN) from error


def _name(key: bytes) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError as error:
        raise DamageError("a tensor's name is not UTF-8") from error


def _dtype_name(kind: int) -> str:
    return "bfloat16" if kind == BFLOAT16 else DTYPES.get(kind, f"type {kind}")


def _stored_type(kind: int) -> np.dtype[Any]:
    if kind == BFLOAT16:
        return np.dtype(np.uint16)
    if kind not in DTYPES:
        raise DamageError(f"its elements are no plain numbers (TensorFlow's type {kind})")
    return np.dtype(DTYPES[kind])
