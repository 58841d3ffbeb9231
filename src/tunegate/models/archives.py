"""A downloaded archive, unpacked flat: only the files that a base model is made of, by their own names."""

import gzip
import lzma
import re
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from tunegate.errors import UserError

MOST_BYTES = 20_000_000_000  # in all, what is not unpacked included: ALBERT xxlarge with its optimiser's slots has 3 GB
MOST_MEMBERS = 10_000
LARGEST_READ = 1 << 24  # bytes at once: headers of an archive are read whole into memory, and hold a few names

DAMAGE = (
    OSError, EOFError, ValueError, RuntimeError, struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
    tarfile.TarError,
)  # fmt: skip

Members = Iterator[tuple[str, int, IO[bytes] | None]]
"""Path, size, and the content of what is a file."""

_GOOGLE = r"(bert|albert)_config.*\.json|.*\.index|.*\.data-\d{5}-of-\d{5}|vocab.*\.txt|.*\.model"
_HUGGING_FACE = (
    r"config\.json|model\.safetensors|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|LICENSE(\.\w+)?"
)
_WANTED = re.compile(f"{_GOOGLE}|{_HUGGING_FACE}")


def is_archive(path: Path) -> bool:
    """Whether the name says so; what is inside is seen when it is unpacked."""
    return path.name.endswith((".zip", ".tar.gz", ".tgz", ".tar"))


def unpack(archive: Path, folder: Path) -> None:
    """Into `folder`; links, paths and other files in the archive count for nothing. Raises UserError."""
    try:
        with archive.open("rb") as file:
            _unpack(zipfile.ZipFile(file) if archive.suffix == ".zip" else _tar(file, archive), folder)
    except DAMAGE as error:
        raise UserError(
            f"{archive} cannot be unpacked: {str(error).rstrip('.') or type(error).__name__}.",
            "Bring the archive again, or unpack it yourself and give the folder.",
        ) from error


def _unpack(opened: zipfile.ZipFile | tarfile.TarFile, folder: Path) -> None:
    with opened:
        seen: dict[str, str] = {}
        members = _zip_members(opened) if isinstance(opened, zipfile.ZipFile) else _tar_members(opened)
        for path, size, source in _bounded(members):
            name = PurePosixPath(path).name
            if source is None or not _WANTED.fullmatch(name) or "__MACOSX" in path:
                continue
            with source:
                if name in seen:
                    raise UserError(
                        f"The archive holds {seen[name]} and {path}: two checkpoints.", "Unpack it and give one folder."
                    )
                if size > shutil.disk_usage(folder).free:
                    raise UserError(f"{path} takes {size:,} bytes, more than is free in {folder}.", "Make room first.")
                seen[name] = path
                with (folder / name).open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)


def _bounded(members: Members) -> Members:
    """Raises UserError for an archive that unpacks to more than any model, before it does."""
    total = 0
    for count, member in enumerate(members, start=1):
        total += member[1]
        if count > MOST_MEMBERS or total > MOST_BYTES:
            raise UserError(
                f"The archive holds more than any base model: {count:,} files, {total:,} bytes so far.",
                "Unpack it yourself where you trust it, and give the folder of one model.",
            )
        yield member


def _zip_members(archive: zipfile.ZipFile) -> Members:
    for member in archive.infolist():
        if not member.is_dir():
            yield member.filename, member.file_size, archive.open(member)


def _tar_members(archive: tarfile.TarFile) -> Members:
    for member in archive:
        yield member.name, member.size, archive.extractfile(member) if member.isfile() else None


def _tar(file: IO[bytes], archive: Path) -> tarfile.TarFile:
    opened: Any = file if archive.suffix == ".tar" else gzip.GzipFile(fileobj=file)
    careful: Any = _InSmallReads(opened)  # all that `tarfile` asks of a file that it only reads
    return tarfile.open(fileobj=careful, mode="r:")


@dataclass(frozen=True)
class _InSmallReads:
    """A file that is never read into memory whole, whatever size a header claims."""

    file: IO[bytes]

    def read(self, size: int) -> bytes:
        if not 0 <= size <= LARGEST_READ:
            raise tarfile.ReadError(f"a header claims {size:,} bytes")
        return self.file.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        return self.file.seek(place, whence)

    def tell(self) -> int:
        return self.file.tell()
