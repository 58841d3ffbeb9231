"""A base model from a server: an archive at an address, or a model of a hub, its hashes compared with those first seen.

What comes lies under the state folder until it is whole and read: a broken download goes on the next time.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from tunegate.downloads import Wanted, download, sha256_of, shown
from tunegate.errors import UserError
from tunegate.models.archives import is_archive
from tunegate.models.folder import CONFIG, WEIGHTS
from tunegate.models.hubs import HUBS, HubName, Listing, RemoteFile, modelscope_endpoint, parse
from tunegate.models.seen import LOCK, Brought, Seen, check_names, seen_of
from tunegate.models.sources import FILES, LICENCE_FILES, PICKLED, Source, from_path, with_safetensors
from tunegate.progress import Progress
from tunegate.workspace import Workspace

LONGEST = 1_000_000  # bytes of a file that no bar is shown for


@dataclass(frozen=True)
class Bringing:
    """Where downloads lie meanwhile, and what they are compared with. `renew`: what was seen first counts no more.

    `pinned`: hashes that are known from elsewhere, by file; they count whatever was seen.
    """

    workspace: Workspace
    progress: Progress
    renew: bool = False
    pinned: Mapping[str, str] = field(default_factory=dict)

    @property
    def lock(self) -> Path:
        return self.workspace.model("models") / LOCK

    @property
    def lock_name(self) -> str:
        return self.workspace.relative(self.lock)

    def seen(self, source: str) -> Seen | None:
        return None if self.renew else seen_of(self.lock, source)

    def folder(self, source: str) -> Path:
        """Where the source's files lie until they are read."""
        return self.workspace.state / "downloads" / hashlib.sha256(source.encode()).hexdigest()[:16]


@contextmanager
def from_address(address: str, bringing: Bringing) -> Iterator[Source]:
    """An archive at http(s)://, or a model's page on a hub. Raises UserError, OutsideError."""
    hub = _on_a_hub(address)
    if hub is not None:
        with from_hub(*hub, bringing) as source:
            yield source
        return
    name = _archive_name(address)
    listing = Listing(None, (RemoteFile(name, address),))
    with _brought(shown(address), listing, bringing) as (folder, brought), from_path(folder / name) as source:
        yield replace(source, description=_from(source, name, shown(address)), brought=brought)


@contextmanager
def from_hub(hub: HubName, name: str, bringing: Bringing) -> Iterator[Source]:
    """`OWNER/NAME[@REVISION]`, at the commit that was seen first where the hub has commits.

    Raises UserError, OutsideError.
    """
    main, listed = HUBS[hub]
    repository, revision = parse(name, main)
    source = source_name(hub, name)
    word = source.partition(" ")[0]
    known = bringing.seen(source)
    listing = listed(repository, known.commit if known and known.commit else revision)
    listing = replace(listing, files=_taken(listing.files, f"{word} {repository}"))
    with _brought(source, listing, bringing) as (folder, brought), TemporaryDirectory() as scratch:
        found = Source(folder, f"{word} {repository}", listing.commit, brought=brought)
        yield with_safetensors(found, Path(scratch))


def source_name(hub: HubName, name: str) -> str:
    """What a hub's model is called where its hashes are recorded: `hub hfl/rbt3@main`. Raises UserError."""
    repository, revision = parse(name, HUBS[hub][0])
    return f"{'hub' if hub == 'huggingface' else hub} {repository}@{revision}"


@contextmanager
def _brought(source: str, listing: Listing, bringing: Bringing) -> Iterator[tuple[Path, Brought]]:
    """The files in a folder that is gone afterwards; a download that fails leaves what has come."""
    folder, known = bringing.folder(source), bringing.seen(source)
    if known is not None:
        check_names(source, known, {file.name: None for file in listing.files}, bringing.lock_name)
    expected = {**({} if known is None else known.files), **bringing.pinned}
    folder.mkdir(parents=True, exist_ok=True)
    try:
        hashes = {file.name: _bring(file, folder, listing.headers, expected, bringing) for file in listing.files}
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()
    try:
        is_known = all(file.name in expected for file in listing.files)
        yield folder, Brought(source, Seen(commit=listing.commit, files=hashes), is_known, bringing.lock)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _bring(
    file: RemoteFile, folder: Path, headers: Mapping[str, str], expected: Mapping[str, str], bringing: Bringing
) -> str:
    """Its SHA-256. A file that an earlier try brought whole stays, where its hash is known."""
    target, progress = folder / file.name, bringing.progress
    known = expected.get(file.name)
    if target.is_file() and (known or file.sha256) == (found := sha256_of(target)):
        return found
    by = "the hub" if known is None else "the catalogue" if file.name in bringing.pinned else bringing.lock_name
    wanted = Wanted(file.url, known or file.sha256, by, file.size, headers)
    progress.say(f"{file.name} from {shown(file.url)}")

    def advance(done: int, total: int) -> None:
        if total > LONGEST:
            progress.advance(f"MB of {file.name}", done // 1_000_000, total // 1_000_000)

    return download(wanted, target, advance)


def _taken(files: tuple[RemoteFile, ...], where: str) -> tuple[RemoteFile, ...]:
    """Of a hub's files those that a base model is made of; PyTorch's .bin where there are no safetensors.

    Raises UserError where there are neither.
    """
    by_name = {file.name: file for file in files}
    weights = [PICKLED] if WEIGHTS not in by_name and PICKLED in by_name else []
    if CONFIG in by_name and WEIGHTS not in by_name and not weights:
        other = next((name for name in sorted(by_name) if name.endswith((".safetensors", ".bin", ".h5"))), "")
        raise UserError(
            f"{where} holds no {WEIGHTS} and no {PICKLED}{f', only {other}' if other else ''}.",
            "Look for a revision that has one, or save it anew with transformers elsewhere and add that folder: "
            "AutoModel.from_pretrained(...).save_pretrained(FOLDER, max_shard_size='50GB').",
        )
    return tuple(by_name[name] for name in (*FILES, *weights, *LICENCE_FILES) if name in by_name)


def _from(source: Source, name: str, address: str) -> str:
    """`Google checkpoint NAME` with the address in the place of the name."""
    return f"{source.description.removesuffix(name)}{address}"


def _archive_name(address: str) -> str:
    """What the file is called. Raises UserError for an address of something else."""
    parts = urlsplit(address)
    name = unquote(parts.path.rpartition("/")[2])
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"{shown(address)} is no address that can be fetched.", "Write https://HOST/PATH.")
    if not re.fullmatch(r"[\w][\w.-]*", name) or not is_archive(Path(name)):
        raise UserError(
            f"{shown(address)} is the address of no .zip or .tar.gz.",
            "Give the address of Google's archive as it was published, or --hub OWNER/NAME for a model of a hub.",
        )
    return name


def _on_a_hub(address: str) -> tuple[HubName, str] | None:
    """The model whose page somebody gives, as a browser shows it: `https://huggingface.co/hfl/rbt3/tree/main`."""
    parts = urlsplit(address)
    hosts: dict[str | None, HubName] = {
        "huggingface.co": "huggingface",
        "hf.co": "huggingface",
        urlsplit(os.environ.get("HF_ENDPOINT", "")).netloc: "huggingface",
        "modelscope.cn": "modelscope",
        urlsplit(modelscope_endpoint()).netloc: "modelscope",
    }
    hub = hosts.get(parts.netloc)
    pattern = (
        r"/models/([\w.-]+/[\w.-]+)(?:/.*)?" if hub == "modelscope" else r"/([\w.-]+/[\w.-]+)(?:/tree/([\w.-]+))?/?"
    )
    found = re.fullmatch(pattern, parts.path) if hub else None
    if hub is None or found is None or is_archive(Path(parts.path)):
        return None
    revision = found[2] if found.re.groups > 1 else None
    return hub, f"{found[1]}@{revision}" if revision else found[1]


@contextmanager
def from_mirror(source: str, place: Path, bringing: Bringing) -> Iterator[Source]:
    """Files that somebody brought: a folder of the hub's, or Google's archive. Compared like a download.

    Raises UserError.
    """
    if not place.exists():
        raise UserError(f"The mirror has no {place}.", "Put it there, or go without a mirror.")
    weights = [] if (place / WEIGHTS).is_file() else [PICKLED]
    paths = [place] if place.is_file() else [place / name for name in (*FILES, *weights, *LICENCE_FILES)]
    hashes = {path.name: sha256_of(path) for path in paths if path.is_file()}
    known = bringing.seen(source)
    if known is not None:
        check_names(source, known, hashes, bringing.lock_name)
    expected = {**({} if known is None else known.files), **bringing.pinned}
    for name, found in hashes.items():
        if found != expected.get(name, found):
            raise UserError(
                f"{place}: {name} is not the file that is known of {source}: its SHA-256 is {found}, "
                f"not {expected[name]}.",
                "Put the right file into the mirror, or give --renew to take this one from now on.",
            )
    commit = known.commit if known is not None else None
    with from_path(place) as there:
        brought = Brought(source, Seen(commit=commit, files=hashes), hashes.keys() <= expected.keys(), bringing.lock)
        where = _from(there, place.name, source) if "://" in source else source.partition("@")[0]
        yield replace(there, description=where, commit=commit, brought=brought)
