"""A public set's files into a folder: from a mirror or the internet, each verified, all of them or none."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tunegate.catalogue.sets import PublicSet, SetFile
from tunegate.downloads import Wanted, download, sha256_of
from tunegate.errors import OutsideError, TunegateError, UserError

MIRROR_VARIABLE = "TUNEGATE_MIRROR"
GUIDE = "docs/how-to/public-data.md shows how a mirror is laid out."


def fetch_set(public: PublicSet, folder: Path, mirror: Path | None, told: Callable[[str], None]) -> bool:
    """Make `folder` hold the set's files; False when it does already. `told` hears each file's name.

    Raises UserError for a mirror that lacks a file or holds another one, OutsideError where the internet fails.
    """
    if folder.exists():
        _refuse_other_content(public, folder)
        return False
    if mirror is None and public.url is None:
        raise UserError(
            f"{public.name} comes from a mirror only: no address with a hash is known for it.",
            f"Name a folder that holds it with --mirror or {MIRROR_VARIABLE}; {GUIDE}",
        )
    if mirror is not None and not mirror.is_dir():
        raise UserError(f"The mirror {mirror} is not a folder.", f"Correct --mirror or {MIRROR_VARIABLE}; {GUIDE}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        unfinished = Path(temporary) / folder.name
        for file in public.files:
            told(file.path)
            target = unfinished / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if mirror is not None:
                _copy(public, file, mirror, target)
            else:
                _download(public, file, target)
        unfinished.replace(folder)
    return True


def _refuse_other_content(public: PublicSet, folder: Path) -> None:
    wanted = {file.path: file.sha256 for file in public.files}
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    other = sorted(wanted.keys() ^ found.keys())
    other += [name for name, path in found.items() if name in wanted and sha256_of(path) != wanted[name]]
    if other:
        raise UserError(
            f"{folder} is there and is not what the catalogue knows as {public.name}: {', '.join(other[:5])} differ.",
            "Move it away to fetch the set, or go on with it as your own data.",
        )


def _copy(public: PublicSet, file: SetFile, mirror: Path, target: Path) -> None:
    source = mirror / file.mirror
    if not source.is_file():
        raise UserError(f"The mirror {mirror} has no file {file.mirror}, which {public.name} needs.", GUIDE)
    shutil.copyfile(source, target)
    found = sha256_of(target)
    if found != file.sha256:
        raise UserError(
            f"{source} is not the file that the catalogue knows: its SHA-256 is {found}, not {file.sha256}.",
            "Put the right file into the mirror, or fetch the set from the internet (without a mirror).",
        )


def _download(public: PublicSet, file: SetFile, target: Path) -> None:
    url = f"{public.url}/{file.upstream or file.path}"
    try:
        download(Wanted(url, sha256=file.sha256), target)
    except TunegateError as error:
        more = f"Or name a mirror with --mirror or {MIRROR_VARIABLE}; {GUIDE}"
        raise OutsideError(error.problem, f"{error.remedy} {more}") from error
