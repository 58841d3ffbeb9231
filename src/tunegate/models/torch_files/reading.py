"""The weights of a `.bin` file, as arrays by name."""

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tunegate.errors import UserError
from tunegate.models.torch_files.instructions import REMEDY, Storage, StoredTensor, read_value

KINDS: dict[str, str] = {
    "torch FloatStorage": "<f4",
    "torch DoubleStorage": "<f8",
    "torch HalfStorage": "<f2",
    "torch BFloat16Storage": "<u2",
    "torch LongStorage": "<i8",
    "torch IntStorage": "<i4",
    "torch ShortStorage": "<i2",
    "torch CharStorage": "<i1",
    "torch ByteStorage": "<u1",
    "torch BoolStorage": "?",
}
MAGIC = 0x1950A86A20F9469CFC6C  # PyTorch's own, at the start of files from before 1.6
LONGEST_LIST = 100_000_000  # bytes of the list of weights; that of a large model has a few hundred thousand
DAMAGE = (OSError, EOFError, ValueError, KeyError, struct.error, zlib.error, zipfile.BadZipFile, RuntimeError)
_AGAIN = "Bring the file again."


def read_weights(path: Path) -> dict[str, NDArray[Any]]:
    """Every tensor of the file; numbers of 16 bits (bfloat16) become float32. Raises UserError."""
    try:
        stored, storages = _zipped(path) if zipfile.is_zipfile(path) else _streamed(path)
    except DAMAGE as error:
        raise UserError(f"{path} is damaged: {str(error).rstrip('.') or type(error).__name__}.", _AGAIN) from error
    weights = {name: _array(tensor, storages, f"{path}: {name}") for name, tensor in stored.items()}
    if not weights:
        raise UserError(f"{path} holds no weights.", _AGAIN)
    return weights


def _zipped(path: Path) -> tuple[dict[str, StoredTensor], Mapping[str, NDArray[Any]]]:
    with zipfile.ZipFile(path) as archive:
        lists = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(lists) != 1 or archive.getinfo(lists[0]).file_size > LONGEST_LIST:
            raise UserError(f"{path} is no file of PyTorch's.", REMEDY)
        root = lists[0].removesuffix("data.pkl")
        if f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder") != b"little":
            raise UserError(f"{path} was written on a machine with another order of bytes.", REMEDY)
        stored = _tensors(read_value(io.BytesIO(archive.read(lists[0])), str(path)), path)
        storages: dict[str, NDArray[Any]] = {}
        for storage in {tensor.storage.key: tensor.storage for tensor in stored.values()}.values():
            kind, member = _kind(storage, path), archive.getinfo(f"{root}data/{storage.key}")
            if member.file_size > path.stat().st_size:  # weights are stored as they are, never packed
                raise UserError(f"{path} holds more numbers than it has bytes.", _AGAIN)
            storages[storage.key] = np.frombuffer(archive.read(member), dtype=kind)
    return stored, storages


def _streamed(path: Path) -> tuple[dict[str, StoredTensor], Mapping[str, NDArray[Any]]]:
    """The form before PyTorch 1.6: five pickles (magic number, version, machine, weights, keys), then the numbers."""
    with path.open("rb") as file:
        if read_value(file, str(path)) != MAGIC:
            raise UserError(f"{path} is no file of PyTorch's.", REMEDY)
        read_value(file, str(path))
        machine = read_value(file, str(path))
        if isinstance(machine, dict) and machine.get("little_endian") is False:
            raise UserError(f"{path} was written on a machine with another order of bytes.", REMEDY)
        stored = _tensors(read_value(file, str(path)), path)
        wanted = {tensor.storage.key: tensor.storage for tensor in stored.values()}
        storages = {str(key): _run(file, wanted.get(str(key)), path) for key in read_value(file, str(path))}
    return stored, storages


def _run(file: IO[bytes], storage: Storage | None, path: Path) -> NDArray[Any]:
    """A count of 8 bytes, then that many numbers."""
    if storage is None:
        raise UserError(f"{path} holds numbers that belong to no weight.", _AGAIN)
    kind = _kind(storage, path)
    [count] = struct.unpack("<q", file.read(8))
    size = count * kind.itemsize
    data = file.read(size) if 0 <= size <= path.stat().st_size else b""
    if len(data) != size:
        raise UserError(f"{path} ends too early.", _AGAIN)
    return np.frombuffer(data, dtype=kind)


def _tensors(value: object, path: Path) -> dict[str, StoredTensor]:
    """By name. Raises UserError for a file that holds something else than weights by name."""
    if not isinstance(value, dict) or not all(
        isinstance(name, str) and isinstance(tensor, StoredTensor) and isinstance(tensor.storage, Storage)
        for name, tensor in value.items()
    ):
        raise UserError(f"{path} holds something else than weights by name.", REMEDY)
    return value


def _kind(storage: Storage, path: Path) -> np.dtype[Any]:
    if storage.kind not in KINDS:
        raise UserError(f"{path} holds numbers of a kind that is not known here: {storage.kind}.", REMEDY)
    return np.dtype(KINDS[storage.kind])


def _array(tensor: StoredTensor, storages: Mapping[str, NDArray[Any]], where: str) -> NDArray[Any]:
    """The tensor's own numbers, copied. Raises UserError where it would reach beyond its storage."""
    numbers, shape, strides = storages[tensor.storage.key], tensor.shape, tensor.strides
    whole = all(isinstance(value, int) and value >= 0 for value in (tensor.offset, *shape, *strides))
    if not whole or len(shape) != len(strides):
        raise UserError(f"{where} has no shape.", _AGAIN)
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if 0 not in shape and (last >= len(numbers) or math.prod(shape) > len(numbers)):
        raise UserError(f"{where} reaches beyond its numbers.", _AGAIN)
    if 0 in shape:
        return np.zeros(shape, dtype=numbers.dtype)
    steps = tuple(stride * numbers.itemsize for stride in strides)
    seen = np.lib.stride_tricks.as_strided(numbers[tensor.offset :], shape, steps, writeable=False)
    copied = np.ascontiguousarray(seen)
    if tensor.storage.kind == "torch BFloat16Storage":
        return (copied.astype(np.uint32) << 16).view(np.float32)
    return copied
