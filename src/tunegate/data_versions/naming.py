"""What a person calls a data version, and where its files are.

A path of a file or folder; a name under data/raw (`support`, also at a revision: `support@HEAD~3`); a git revision or
a version's tag (`support@v1.2.0`). `rev:` before a revision settles what could also be a path or a name.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tunegate.dvc.storage import fetch_folder, pull_missing
from tunegate.errors import UserError, did_you_mean
from tunegate.params import IngestSettings, PipelineSettings, SplitSettings
from tunegate.params_file import load_pipelines
from tunegate.records import Payload
from tunegate.tasks import options_of, record_of
from tunegate.text.readers import RawFile, choose_files, file_of
from tunegate.versions.git import commit_of, file_at
from tunegate.workspace import Workspace, no_such_pipeline

FORMAT = 1  # of what `reading` keeps
REVISION = "rev:"


@dataclass(frozen=True)
class DataVersion:
    """Files, and the settings that read them. `fingerprint` changes with content, settings and reading's format."""

    name: str  # as it was asked for
    pipeline: str
    files: tuple[RawFile, ...]
    unread: tuple[str, ...]
    task: str
    ingest: IngestSettings
    split: SplitSettings
    fingerprint: str
    commit: str | None = None

    @property
    def payload(self) -> tuple[Payload, ...]:
        return record_of(self.task).PAYLOAD


def pipelines_of(workspace: Workspace) -> dict[str, PipelineSettings]:
    """The pipelines of params.yaml, validated. Raises UserError."""
    return load_pipelines(workspace.params, options_of)


def settings_of(workspace: Workspace, pipeline: str) -> PipelineSettings:
    """Raises UserError for a pipeline that is not there."""
    known = pipelines_of(workspace)
    if pipeline not in known:
        raise no_such_pipeline(pipeline, known)
    return known[pipeline]


def two_versions(
    workspace: Workspace, before: str, after: str, pipeline: str | None
) -> tuple[DataVersion, DataVersion]:
    """Both sides, read by one pipeline's settings. Raises UserError where it cannot be told which."""
    known = pipelines_of(workspace)
    if pipeline is not None and pipeline not in known:
        raise no_such_pipeline(pipeline, known)
    chosen = pipeline or _pipeline_of((before, after), known)
    return tuple(find_version(workspace, name, chosen) for name in (before, after))  # type: ignore[return-value]


def find_version(workspace: Workspace, name: str, pipeline: str) -> DataVersion:
    """What `name` means, its files brought from DVC's cache or remote where they are missing. Raises UserError."""
    settings = settings_of(workspace, pipeline)
    path = Path(name).expanduser()
    if not name.startswith(REVISION):
        if path.exists():
            return version_of(name, pipeline, settings, path, str)
        folder = _raw_folder(workspace, path) or workspace.raw(name)
        if folder.is_dir() or folder.with_name(f"{folder.name}.dvc").is_file():
            pull_missing(workspace, [folder])
            return version_of(name, pipeline, settings, folder, workspace.relative)
    return _at_revision(workspace, name, pipeline, settings)


def _raw_folder(workspace: Workspace, path: Path) -> Path | None:
    """`data/raw/support` written out, as DVC and git write it, from wherever one stands; None for another path."""
    raw = workspace.raw("any").parent.resolve()
    for tried in (path.absolute(), workspace.root.resolve() / path):
        if tried.parent.resolve() == raw:
            return workspace.raw(tried.name)
    return None


def version_of(name: str, pipeline: str, settings: PipelineSettings, path: Path, source: Any) -> DataVersion:
    """The files at `path` as that pipeline reads them; `source` writes a file's path for people."""
    if path.is_dir():
        files, unread = choose_files(path, settings.ingest, source)
    else:
        files, unread = [file_of(path, settings.ingest)], []
    return DataVersion(
        name, pipeline, tuple(files), tuple(unread), settings.task, settings.ingest, settings.split,
        _fingerprint(files, settings),
    )  # fmt: skip


def _pipeline_of(names: Sequence[str], known: Mapping[str, PipelineSettings]) -> str:
    """The pipeline that one of the names belongs to, else the only one there is."""
    for name in names:
        head = name.removeprefix(REVISION).partition("@")[0]
        if head in known:
            return head
        reading = [pipeline for pipeline, settings in known.items() if settings.data == head]
        if len(reading) == 1:
            return reading[0]
    if len(known) == 1:
        return next(iter(known))
    raise UserError(
        f"Which pipeline's settings read {' and '.join(names)} cannot be told.",
        f"Say it with --pipeline: {', '.join(sorted(known))}.",
    )


def _at_revision(workspace: Workspace, name: str, pipeline: str, now: PipelineSettings) -> DataVersion:
    """The data as it was tracked at a commit, read by the settings of that commit where they can be read."""
    asked = name.removeprefix(REVISION)
    data, commit = None, commit_of(workspace.root, asked)
    if commit is None and "@" in asked:
        data, _, revision = asked.partition("@")
        commit = commit_of(workspace.root, revision)
    if commit is None:
        raise _nothing_called(workspace, name)
    settings = settings_at(workspace, commit, pipeline) or now
    data = data or settings.data
    tracked = file_at(workspace.root, commit, f"data/raw/{data}.dvc")
    if tracked is None:
        raise UserError(
            f"Commit {commit[:10]} ({name}) has no data/raw/{data}.dvc.",
            "Name a commit in which DVC tracked that data.",
        )
    entry = tracked_entry(tracked, f"data/raw/{data}.dvc")
    folder = fetch_folder(workspace, str(entry["md5"]), entry.get("remote"))
    found = version_of(name, pipeline, settings, folder, lambda file: f"data/raw/{data}/{file.relative_to(folder)}")
    return DataVersion(**{**vars(found), "commit": commit})


def settings_at(workspace: Workspace, commit: str, pipeline: str) -> PipelineSettings | None:
    """The pipeline's settings in that commit; None where it was not there or an older tunegate wrote them."""
    content = file_at(workspace.root, commit, "params.yaml")
    if content is None:
        return None
    with TemporaryDirectory(prefix="tunegate-") as folder:
        path = Path(folder) / "params.yaml"
        path.write_bytes(content)
        try:
            return load_pipelines(path, options_of).get(pipeline)
        except UserError:
            return None


def tracked_entry(content: bytes, where: str) -> dict[str, Any]:
    """The folder that a `.dvc` file names: md5, size, nfiles, remote. Raises UserError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        entry = dict(YAML(typ="safe").load(content)["outs"][0])
    except (YAMLError, KeyError, TypeError, IndexError) as error:
        raise UserError(f"{where} is no file of DVC's: {error}.", "Restore it with `git checkout`.") from error
    if not str(entry.get("md5", "")).endswith(".dir"):
        raise UserError(f"{where} does not track a folder.", "Put the files in a folder and track that with `dvc add`.")
    return entry


def _nothing_called(workspace: Workspace, name: str) -> UserError:
    raw = [path.stem for path in (workspace.root / "data" / "raw").glob("*.dvc")]
    return UserError(
        f'"{name}" is no path, no data under data/raw, no git revision and no version\'s tag.{did_you_mean(name, raw)}',
        f"The data sets here are: {', '.join(sorted(raw)) or 'none'}; `tunegate data log` lists their versions.",
    )


def _fingerprint(files: Sequence[RawFile], settings: PipelineSettings) -> str:
    digest = hashlib.sha256()
    reading = [settings.task, settings.ingest.model_dump(mode="json"), settings.split.model_dump(mode="json"), FORMAT]
    digest.update(json.dumps(reading, sort_keys=True).encode())
    for file in files:
        digest.update(json.dumps([file.source, file.form, file.split]).encode())
        for path in (file.path, *([file.answers.path] if file.answers else [])):
            with path.open("rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:32]
