"""The working tree's own copies of a version's files, and the Bento store's, where they claim to be that version."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tunegate.bento import bento_home
from tunegate.releases.differences import Difference, part_of, short
from tunegate.releases.stored import Stored
from tunegate.versions.lineage import Made, read_lock
from tunegate.workspace import Workspace

RESTORE = "What DVC keeps of it is whole: `dvc checkout --force` brings it back (a wanted edit needs `tunegate run`)."


def differences_here(workspace: Workspace, stored: Stored) -> Iterator[Difference]:
    """A tree at another version is not looked at; nor is what is not checked out."""
    lock = workspace.root / "dvc.lock"
    now = read_lock(lock.read_bytes(), stored.pipeline) if lock.is_file() else {}
    for stage, made in stored.lineage.items():
        for path, (hash_value, remote) in {**_sources(workspace, stored, made), **_outs(made, now.get(stage))}.items():
            yield from _folder(workspace.root, path, stored.files(path, hash_value, remote))
    yield from _store(workspace, stored)


def _sources(workspace: Workspace, stored: Stored, made: Made) -> dict[str, tuple[str, str | None]]:
    """Raw data and base models of which the tree's `.dvc` file says the same as the version's."""
    found = {}
    for path in made.read:
        tracked = stored.tracked(path) if path.startswith("data/") else None
        own = workspace.root / f"{path}.dvc"
        if tracked and own.is_file() and tracked[0] in own.read_text(encoding="utf-8"):
            found[path] = tracked
    return found


def _outs(made: Made, now: Made | None) -> dict[str, tuple[str, str | None]]:
    return {path: (value, None) for path, value in made.made.items() if now is not None and now.made.get(path) == value}


def _folder(root: Path, path: str, files: dict[str, str]) -> Iterator[Difference]:
    place = root / path
    if not place.exists() or not files:
        return
    there = {file.relative_to(root).as_posix() for file in place.rglob("*") if file.is_file()} or {path}
    for name in sorted(files.keys() | there):
        if name not in there:
            problem = f"{name} is missing from the working tree."
        elif name not in files:
            problem = f"{name} stands in the working tree and is no part of the version."
        elif (found := _md5(root / name)) != files[name]:
            problem = f"{name} differs in the working tree: it is {short(found)}, not {short(files[name])}."
        else:
            continue
        yield Difference(part_of(name), name, problem, RESTORE)


def _store(workspace: Workspace, stored: Stored) -> Iterator[Difference]:
    """The Bento store's mirror, from which `bentoml serve` and containers take it."""
    said = stored.version.said
    if said is None or not said.bento or "package" not in stored.lineage:
        return
    name, _, number = said.bento.partition(":")
    mirror = bento_home(workspace) / "bentos" / name / number
    folder = f"data/{stored.pipeline}/package"
    files = stored.files(folder, stored.lineage["package"].made.get(folder, ""))
    for path, md5 in files.items() if mirror.is_dir() else ():
        inside = path.removeprefix(f"{folder}/bento/")
        if inside == path:
            continue
        copy = mirror / inside
        found = _md5(copy) if copy.is_file() else "missing"
        if found != md5:
            shown = f"{said.bento}: {inside}"
            problem = f"The Bento store's {shown} is {short(found)}, not {short(md5)}."
            remedy = f"Take it out with `bentoml delete {said.bento}` (BENTOML_HOME={bento_home(workspace)}); the next "
            yield Difference(part_of(path), shown, problem, f"{remedy}run stores it anew.")


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
