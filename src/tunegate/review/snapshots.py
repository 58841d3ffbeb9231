"""The files of one state of a pipeline: of the working tree as it is, or of a commit (a run, a version).

Reports come from git; folders by their hash in `dvc.lock` from DVC's cache or remote, through `tunegate.dvc`.
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from tunegate.errors import UserError
from tunegate.exported import MANIFEST, read_manifest
from tunegate.inputs import Inputs
from tunegate.review.reports import Seen, parse
from tunegate.versions.git import commit_of, file_at
from tunegate.versions.lineage import read_lock
from tunegate.workspace import Workspace

NOW = "now"
VERSION = re.compile(r"v[0-9]+\.[0-9]+\.[0-9]+")
COMMIT = re.compile(r"[0-9a-f]{7,40}")
FILES = {  # always the same of a stage, so that one fetch brings all that any page wants
    "validate": ("test.parquet", "quarantine.parquet", "facts.parquet", "labels.json", "verdict.json"),
    "evaluate": ("answers.parquet",),
    "train": ("curves.csv",),
    "package": ("bento/README.md",),
}
S = TypeVar("S", bound=Seen)

_fetching = threading.Lock()


class NotThereError(UserError):
    """What the address names does not exist: the page says so with status 404."""


@dataclass(frozen=True)
class Snapshot:
    """`commit` is None for the working tree."""

    workspace: Workspace
    pipeline: str
    ref: str
    commit: str | None

    @property
    def name(self) -> str:
        """For people: `support@v1.2.0`, the first digits of a commit, or the pipeline's own name."""
        if self.commit is None:
            return self.pipeline
        return f"{self.pipeline}@{self.ref}" if VERSION.fullmatch(self.ref) else self.ref[:10]

    def content(self, path: Path) -> bytes | None:
        """A file that git keeps: reports, inputs, dvc.lock."""
        if self.commit is None:
            return path.read_bytes() if path.is_file() else None
        return file_at(self.workspace.root, self.commit, path.relative_to(self.workspace.root).as_posix())

    def report(self, stage: str, kind: type[S]) -> S | None:
        """None where the stage has not reported. Raises UserError for a damaged report."""
        path = self.workspace.report(self.pipeline, stage)
        return parse(kind, self.content(path), f"{self.workspace.relative(path)} ({self.name})")

    def inputs(self) -> Inputs | None:
        """None where there are none, or where another version of tunegate wrote them in another shape."""
        content = self.content(self.workspace.inputs(self.pipeline))
        try:
            return Inputs.model_validate_json(content) if content else None
        except ValueError:
            return None

    def hashes(self) -> Mapping[str, str]:
        """Path of an output or a dependency to its hash, as `dvc.lock` says."""
        content = self.content(self.workspace.root / "dvc.lock")
        return _hashes(content, self.pipeline, self.name) if content else {}

    def folder(self, stage: str) -> Path:
        """The stage's folder with what `FILES` names of it (of export: everything).

        Raises NotThereError where the stage has not run, OutsideError where neither cache nor remote has the files.
        """
        if self.commit is None:
            return _present(self.workspace.stage(self.pipeline, stage), stage)
        found = self.hashes().get(f"data/{self.pipeline}/{stage}")
        if found is None:
            raise _not_run(stage)
        with _fetching:
            return _fetched(self.workspace, found, stage)

    def state(self, stage: str) -> str:
        """A name for the folder's content as far as it can be told without reading it: for keeping what was made."""
        if self.commit is not None:
            return self.hashes().get(f"data/{self.pipeline}/{stage}", "")
        folder = self.workspace.stage(self.pipeline, stage)
        times = [str(path.stat().st_mtime_ns) for path in sorted(folder.glob("*")) if path.is_file()]
        return f"{folder}:{':'.join(times)}"


def open_snapshot(workspace: Workspace, pipeline: str, ref: str) -> Snapshot:
    """`now`, a version (`v1.2.0`) or a commit. Raises NotThereError."""
    if ref == NOW:
        return Snapshot(workspace, pipeline, ref, None)
    commit = None
    if VERSION.fullmatch(ref):
        commit = commit_of(workspace.root, f"refs/tags/{pipeline}@{ref}")
    elif COMMIT.fullmatch(ref):
        commit = commit_of(workspace.root, ref)
    if commit is None:
        raise NotThereError(f"{pipeline} has no version or run {ref[:60]!r}.", "Choose one from the pipeline's page.")
    return Snapshot(workspace, pipeline, ref, commit)


def _present(folder: Path, stage: str) -> Path:
    if not folder.is_dir():
        raise _not_run(stage)
    return folder


def _not_run(stage: str) -> NotThereError:
    return NotThereError(
        f"{stage} left no files here.", "Run the pipeline with `tunegate run`, or open another version."
    )


def _fetched(workspace: Workspace, hash_value: str, stage: str) -> Path:
    from tunegate.dvc.storage import fetch

    place = workspace.state / "review"
    if stage != "export":
        return fetch(workspace, hash_value, FILES[stage], place)
    names = read_manifest(fetch(workspace, hash_value, [MANIFEST], place)).files
    return fetch(workspace, hash_value, [MANIFEST, *names], place)


@lru_cache(maxsize=64)
def _hashes(content: bytes, pipeline: str, where: str) -> Mapping[str, str]:
    """Parsed once per file: a commit's never changes."""
    stages = read_lock(content, pipeline, where).values()
    # What a stage made goes before what a later one read of it: after `dvc commit` of one stage the two may differ.
    read = {path: value for stage in stages for path, value in stage.read.items()}
    return read | {path: value for stage in stages for path, value in stage.made.items()}
