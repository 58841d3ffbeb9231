"""The versions of a data set, from git's history of its `.dvc` file: when, by whom, how large, used by what."""

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel, ConfigDict

from tunegate.data_versions.naming import DataVersion, find_version, pipelines_of, tracked_entry
from tunegate.errors import TunegateError, UserError, did_you_mean
from tunegate.progress import Progress
from tunegate.stages.ingest import ingest
from tunegate.versions.git import commit_of, files_at, git
from tunegate.versions.lineage import lineages_at
from tunegate.versions.tags import VERSION, read_tags
from tunegate.workspace import Workspace, write_atomically


@dataclass(frozen=True)
class Tracked:
    """One version of a data set as history has it. `tracked` is its `.dvc` file."""

    data: str
    commit: str
    date: str  # ISO 8601
    author: str
    subject: str
    tracked: bytes
    entry: dict[str, Any]

    @property
    def name(self) -> str:
        """As `tunegate data diff` takes it."""
        return f"{self.data}@{self.commit[:10]}"

    @property
    def hash(self) -> str:
        return str(self.entry["md5"])


def versions_between(workspace: Workspace, data: str, first: str, last: str) -> list[Tracked]:
    """The versions from the one that stood at the revision `first` to the one at `last`, oldest first, each once.

    Raises UserError for a revision that is none, or that has no such data.
    """
    newest, oldest = (_at(workspace, data, revision) for revision in (last, first))
    history = _history(workspace, data, newest.commit)
    place = next((number for number, each in enumerate(history) if each.commit == oldest.commit), None)
    if place is None:
        raise UserError(
            f"{oldest.name} ({first}) is not among the versions that lead to {newest.name} ({last}).",
            f"Turn them round, or choose from `tunegate data log {data}`.",
        )
    versions = {each.hash: each for each in history[: place + 1]}  # of equal ones the older commit
    return list(reversed(versions.values()))


def _at(workspace: Workspace, data: str, revision: str) -> Tracked:
    commit = commit_of(workspace.root, revision)
    if commit is None:
        raise UserError(
            f'"{revision}" is no commit, tag or branch.', f"`tunegate data log {data}` lists the data's commits."
        )
    found = _history(workspace, data, commit)
    if not found:
        raise UserError(
            f"At {revision} there is no data/raw/{data}.dvc.", f"`tunegate data log {data}` lists the data's commits."
        )
    return found[0]


class DataVersionShown(BaseModel):
    """`rows` is None where the files can be had neither from DVC's cache nor from its remote. `models`: versions."""

    model_config = ConfigDict(frozen=True)

    data: str
    commit: str
    date: str  # ISO 8601
    author: str
    subject: str
    hash: str
    size: int  # bytes
    files: int
    rows: int | None
    rejected: int | None
    models: list[str]


def data_log(workspace: Workspace, name: str | None, progress: Progress) -> list[DataVersionShown]:
    """The newest first; of one pipeline's data, of one name under data/raw, or of all. Raises UserError."""
    known = pipelines_of(workspace)
    tracked = sorted(path.stem for path in (workspace.root / "data" / "raw").glob("*.dvc"))
    if name is None:
        chosen = tracked
    else:
        chosen = [known[name].data if name in known else name]
        if chosen[0] not in tracked:
            raise UserError(
                f"There is no data/raw/{chosen[0]}.dvc.{did_you_mean(name, [*known, *tracked])}",
                f"The data sets are: {', '.join(tracked) or 'none'}.",
            )
    readers = {settings.data: pipeline for pipeline, settings in known.items()}
    fallback = next(iter(known), None)
    return [shown for data in chosen for shown in _shown(workspace, data, readers.get(data, fallback), progress)]


def _history(workspace: Workspace, data: str, revision: str = "HEAD") -> list[Tracked]:
    """The newest first."""
    path = f"data/raw/{data}.dvc"
    out = git(workspace.root, "log", "--format=%H%x00%aI%x00%an%x00%s", revision, "--", path)
    commits = [line.split("\0") for line in out.splitlines()]
    contents = files_at(workspace.root, [f"{commit[0]}:{path}" for commit in commits])
    found = []
    for (commit, date, author, subject), content in zip(commits, contents, strict=True):
        if content is not None:  # else the commit took the data out
            entry = tracked_entry(content, f"{path} of {commit[:10]}")
            found.append(Tracked(data, commit, date, author, subject, content, entry))
    return found


def _shown(workspace: Workspace, data: str, pipeline: str | None, progress: Progress) -> list[DataVersionShown]:
    models = _models(workspace, data)
    found = []
    for each in _history(workspace, data):
        rows, rejected = _rows(workspace, f"{data}@{each.commit}", each.hash, pipeline, progress)
        found.append(
            DataVersionShown(
                data=data, commit=each.commit, date=each.date, author=each.author, subject=each.subject,
                hash=each.hash, size=int(each.entry.get("size", 0)), files=int(each.entry.get("nfiles", 0)),
                rows=rows, rejected=rejected, models=models.get(each.hash, []),
            )
        )  # fmt: skip
    return found


def _rows(
    workspace: Workspace, name: str, hash_value: str, pipeline: str | None, progress: Progress
) -> tuple[int | None, int | None]:
    """Counted once per content and reader, and kept."""
    if pipeline is None:
        return None, None
    kept = workspace.state / "data-versions" / f"rows-{hash_value}-{pipeline}.json"
    if not kept.is_file():
        try:
            version = find_version(workspace, f"rev:{name}", pipeline)
            write_atomically(kept, json.dumps(_counted(version, progress)))
        except TunegateError:  # nowhere to be had, or of columns that this pipeline does not read
            return None, None
    rows, rejected = json.loads(kept.read_text(encoding="utf-8"))
    return rows, rejected


def _counted(version: DataVersion, progress: Progress) -> tuple[int, int]:
    with TemporaryDirectory(prefix="tunegate-") as folder:
        report = ingest(version.files, version.payload, version.ingest, version.split, Path(folder), progress)
    return report.rows, report.rejected


def _models(workspace: Workspace, data: str) -> dict[str, list[str]]:
    """Hash of the data to the registered model versions that were made from it."""
    found: dict[str, list[str]] = {}
    for tag in read_tags(workspace):
        match = VERSION.fullmatch(tag.name)
        if match is None:
            continue
        made = lineages_at(workspace, [tag.commit], match["pipeline"])[tag.commit].get("ingest")
        if made and (hash_value := made.read.get(f"data/raw/{data}")):
            found.setdefault(hash_value, []).append(tag.name)
    return found
