"""A downloaded archive, unpacked flat: only the files that a checkpoint is made of, by their own names."""

import re
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from tunegate.errors import UserError

_WANTED = re.compile(r"(bert|albert)_config.*\.json|.*\.index|.*\.data-\d{5}-of-\d{5}|vocab.*\.txt|.*\.model")


def is_archive(path: Path) -> bool:
    """Whether the name says so; what is inside is seen when it is unpacked."""
    return path.name.endswith((".zip", ".tar.gz", ".tgz", ".tar"))


def unpack(archive: Path, folder: Path) -> None:
    """Into `folder`; links, paths and other files in the archive count for nothing. Raises UserError."""
    try:
        with archive.open("rb") as file:
            _unpack(zipfile.ZipFile(file) if archive.suffix == ".zip" else tarfile.open(fileobj=file), folder)  # noqa: SIM115
    except (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, RuntimeError, NotImplementedError) as error:
        raise UserError(
            f"{archive} cannot be unpacked: {str(error).rstrip('.') or type(error).__name__}.",
            "Bring the archive again, or unpack it yourself and give the folder.",
        ) from error


def _unpack(opened: zipfile.ZipFile | tarfile.TarFile, folder: Path) -> None:
    with opened:
        seen: dict[str, str] = {}
        for path, size, source in _zip_members(opened) if isinstance(opened, zipfile.ZipFile) else _tar_members(opened):
            name = PurePosixPath(path).name
            with source:
                if not _WANTED.fullmatch(name) or "__MACOSX" in path:
                    continue
                if name in seen:
                    raise UserError(
                        f"The archive holds {seen[name]} and {path}: two checkpoints.", "Unpack it and give one folder."
                    )
                if size > shutil.disk_usage(folder).free:
                    raise UserError(f"{path} takes {size:,} bytes, more than is free in {folder}.", "Make room first.")
                seen[name] = path
                with (folder / name).open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)


def _zip_members(archive: zipfile.ZipFile) -> Iterator[tuple[str, int, IO[bytes]]]:
    for member in archive.infolist():
        if not member.is_dir():
            yield member.filename, member.file_size, archive.open(member)


def _tar_members(archive: tarfile.TarFile) -> Iterator[tuple[str, int, IO[bytes]]]:
    for member in archive:
        source = archive.extractfile(member) if member.isfile() else None
        if source is not None:
            yield member.name, member.size, source
