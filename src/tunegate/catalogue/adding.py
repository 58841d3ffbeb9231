"""A person's own files into `data/raw/NAME`: added to what is there, or in the place of files of the same name."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from tunegate.errors import UserError

DATA_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


def check_data_name(name: str) -> str:
    """The name itself, matched whole. Raises UserError."""
    if not DATA_NAME.fullmatch(name):
        raise UserError(
            f"{name!r} is not a name of data.",
            "Use lower-case letters, digits, dots, dashes and underscores, starting with a letter or digit.",
        )
    return name


def add_files(folder: Path, paths: Sequence[Path]) -> list[str]:
    """Copy files, and what folders hold, into `folder`. Returns the names that were new or changed there.

    Nothing is copied unless everything can be. Raises UserError.
    """
    sources = _sources(paths)
    if not sources and not (folder.is_dir() and any(folder.iterdir())):
        raise UserError(f"{folder} holds nothing.", "Name the files to add.")
    changed = [name for name, source in sources.items() if not _same(folder / name, source)]
    for name in changed:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.unfinished")
        shutil.copyfile(sources[name], unfinished)
        unfinished.replace(target)
    return changed


def _sources(paths: Sequence[Path]) -> dict[str, Path]:
    """Name under the folder -> file."""
    sources: dict[str, Path] = {}
    for path in paths:
        if path.is_dir():
            found = {file.relative_to(path).as_posix(): file for file in sorted(path.rglob("*")) if file.is_file()}
        elif path.is_file():
            found = {path.name: path}
        else:
            raise UserError(f"{path} is no file and no folder.", "Correct the path.")
        twice = sources.keys() & found.keys()
        if twice:
            name = sorted(twice)[0]
            raise UserError(f"Two of the files are called {name}.", "Rename one, or add them one after the other.")
        sources |= found
    return sources


def _same(target: Path, source: Path) -> bool:
    return target.is_file() and target.read_bytes() == source.read_bytes()
