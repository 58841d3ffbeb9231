"""A new data version: put together beside the old one, compared and judged before anything counts, then switched to.

`propose` and `propose_edits` write nothing but the state folder; `write` makes the version.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tunegate.data_versions.diff import DataDiff, data_diff
from tunegate.data_versions.judging import judged
from tunegate.data_versions.matching import combined, join
from tunegate.data_versions.naming import DataVersion, settings_of, tracked_entry, version_of
from tunegate.data_versions.raw_edits import Cells, columns_of, edit_file
from tunegate.data_versions.reading import VersionRows, read_version
from tunegate.data_versions.switching import settle, staging, switch
from tunegate.dvc.storage import pull_missing
from tunegate.dvc.tracking import cache_folder
from tunegate.errors import UserError
from tunegate.params import PipelineSettings
from tunegate.progress import Progress
from tunegate.records import Payload
from tunegate.text.readers import RawFile, choose_files
from tunegate.validation.summary import Summary
from tunegate.workspace import Workspace

Place = tuple[str, int]
"""A raw row: its file (`source`, relative to the root) and its `source_line`."""


@dataclass(frozen=True)
class Proposal:
    """A version that could be written. `updated` rows take the place of old ones, `known` ones are there already."""

    pipeline: str
    data: str
    staged: Path
    diff: DataDiff
    validation: Summary
    updated: int
    known: int
    before: str  # the `.dvc` file as it stood: whoever else writes a version meanwhile is noticed

    @property
    def is_empty(self) -> bool:
        return self.diff.is_empty and self.diff.before.rejected == self.diff.after.rejected


@dataclass(frozen=True)
class _Batch:
    """What came: its rows by what becomes of them. `old` are row numbers of the data, the others of the batch."""

    updates: np.ndarray[tuple[int], np.dtype[np.int64]]
    old: np.ndarray[tuple[int], np.dtype[np.int64]]
    known: np.ndarray[tuple[int], np.dtype[np.int64]]


def propose(
    workspace: Workspace, pipeline: str, paths: Sequence[Path], *, replace: bool, progress: Progress
) -> Proposal:
    """The data with the files' rows (append: rows of a known id take the old ones' place), or with them alone.

    Raises UserError.
    """
    settings, now = _start(workspace, pipeline)
    staged = _fresh_staging(workspace, settings.data, None if replace else workspace.raw(settings.data))
    edits: dict[Place, Mapping[str, str] | None] = {}
    known = 0
    for path in paths:
        incoming = version_of(str(path), pipeline, _any_file(settings), _existing(path), str)
        for file in incoming.files:
            if replace:
                _copy(file, staged / _name_in(path, file))
            else:
                updates, there = _append(workspace, (settings, now), file, staged, progress)
                edits, known = edits | updates, known + there
    _edit(workspace, settings, staged, edits)
    return _proposal(workspace, now, staged, (len(edits), known), progress)


def propose_edits(
    workspace: Workspace, pipeline: str, edits: Mapping[Place, Mapping[str, str] | None], progress: Progress
) -> Proposal:
    """The data with single rows rewritten (field to its new value) or taken out (None). Raises UserError."""
    settings, now = _start(workspace, pipeline)
    staged = _fresh_staging(workspace, settings.data, workspace.raw(settings.data))
    _edit(workspace, settings, staged, edits)
    return _proposal(workspace, now, staged, (len(edits), 0), progress)


def write(workspace: Workspace, proposal: Proposal, message: str) -> str:
    """Make it the version of now: DVC's cache first, then folder, `.dvc` file and commit at once. The commit.

    Raises UserError when the data has changed since the proposal was made.
    """
    tracked = workspace.raw(f"{proposal.data}.dvc")
    if tracked.read_text(encoding="utf-8") != proposal.before:
        raise UserError(
            f"Somebody wrote another version of {proposal.data} meanwhile.",
            "Begin again: the difference is another now.",
        )
    entry = cache_folder(workspace, proposal.staged)
    return switch(workspace, proposal.data, proposal.staged, entry, message)


def discard(proposal: Proposal) -> None:
    """The proposal is not wanted."""
    shutil.rmtree(proposal.staged, ignore_errors=True)


def message_of(proposal: Proposal, what: str) -> str:
    """The commit's message: what was done, and the difference in a line."""
    counts = ", ".join(f"{count:,} {kind}" for kind, count in proposal.diff.counts.items() if count)
    return f"{what}\n\ndata/raw/{proposal.data}: {counts}; {proposal.diff.after.rows:,} rows.\n"


def _start(workspace: Workspace, pipeline: str) -> tuple[PipelineSettings, DataVersion]:
    """The pipeline's settings and its data as it is now, which must be what its `.dvc` file says."""
    settle(workspace)
    settings = settings_of(workspace, pipeline)
    folder, tracked = workspace.raw(settings.data), workspace.raw(f"{settings.data}.dvc")
    if not tracked.is_file():
        raise UserError(
            f"data/raw/{settings.data} has no version yet: there is no data/raw/{settings.data}.dvc.",
            f"Make the first one with `tunegate data add {settings.data}` (it tracks the folder as it lies).",
        )
    pull_missing(workspace, [folder])
    entry = tracked_entry(tracked.read_bytes(), workspace.relative(tracked))
    if cache_folder(workspace, folder).md5 != entry["md5"]:
        raise UserError(
            f"{workspace.relative(folder)} was edited since its last version, and those edits would be mixed in.",
            f"Keep them as a version with `tunegate data add {settings.data}` and commit it, or take them back with "
            f"`dvc checkout {workspace.relative(tracked)}`.",
        )
    return settings, version_of(settings.data, pipeline, settings, folder, workspace.relative)


def _fresh_staging(workspace: Workspace, data: str, old: Path | None) -> Path:
    staged = staging(workspace, data)
    shutil.rmtree(staged, ignore_errors=True)
    staged.parent.mkdir(parents=True, exist_ok=True)
    if old is None:
        staged.mkdir()
    else:
        shutil.copytree(old, staged)
    return staged


def _append(
    workspace: Workspace, known: tuple[PipelineSettings, DataVersion], file: RawFile, staged: Path, progress: Progress
) -> tuple[dict[Place, Mapping[str, str] | None], int]:
    """One file's new rows into the staged data; old rows to be rewritten, and how many were there already."""
    settings, now = known
    current = read_version(now, workspace.state / "data-versions" / now.fingerprint, progress)
    batch = version_of(str(file.path), now.pipeline, _any_file(settings), file.path, str)
    rows = read_version(batch, workspace.state / "data-versions" / batch.fingerprint, progress)
    found = _matched(current, rows)
    matched = rows.take(np.sort(np.concatenate([found.updates, found.known])), ("source_line",))
    gone: dict[int, Cells | None] = dict.fromkeys(matched["source_line"].to_pylist())
    if len(gone) < len(rows) or rows.facts.rejected:
        target = _free_name(staged / file.path.name)
        _copy(file, target)
        edit_file(RawFile(target, target.name, file.form, file.split), settings.ingest, gone)
    return _updates(current, rows, found, now.payload), len(found.known)


def _matched(current: VersionRows, rows: VersionRows) -> _Batch:
    """By id. A row without an id of its own is known where the very same row is there."""
    old, new = join(current.keys.id, rows.keys.id)
    aspects = [
        combined([getattr(side.keys, name)[places] for name in ("exact", "label", "rest")])
        for side, places in ((current, old), (rows, new))
    ]
    same = aspects[0] == aspects[1]
    return _Batch(new[~same], old[~same], new[same])


def _updates(
    current: VersionRows, rows: VersionRows, found: _Batch, payload: Sequence[Payload]
) -> dict[Place, Mapping[str, str] | None]:
    """The old rows' places with the fields that the batch says anew."""
    fields = (*(column.name for column in payload), "group", "annotator")
    places = current.take(found.old, ("source", "source_line")).to_pylist()
    values = rows.take(found.updates, fields).to_pylist()
    return {
        (place["source"], place["source_line"]): {name: str(value) for name, value in row.items() if value is not None}
        for place, row in zip(places, values, strict=True)
    }


def _edit(
    workspace: Workspace, settings: PipelineSettings, staged: Path, edits: Mapping[Place, Mapping[str, str] | None]
) -> None:
    """Fields become the file's own columns on the way."""
    prefix = f"data/raw/{settings.data}/"
    by_file: dict[str, dict[int, Mapping[str, str] | None]] = {}
    for (source, line), fields in edits.items():
        by_file.setdefault(source.removeprefix(prefix), {})[line] = fields
    if not by_file:
        return
    files = {
        file.source: file
        for file in choose_files(staged, settings.ingest, lambda path: path.relative_to(staged).as_posix())[0]
    }
    for name, rows in by_file.items():
        if name not in files:
            raise UserError(f"{prefix}{name} is no file of this data.", "Begin again with the data as it is now.")
        columns = columns_of(files[name], settings.ingest)
        edit_file(files[name], settings.ingest, {line: _cells(rows[line], columns, settings, name) for line in rows})


def _cells(
    fields: Mapping[str, str] | None, columns: Sequence[str], settings: PipelineSettings, name: str
) -> Cells | None:
    if fields is None:
        return None
    cells = {settings.ingest.columns.get(field, field): value for field, value in fields.items()}
    unknown = [column for column in cells if column not in columns]
    if unknown:
        raise UserError(f"{name} has no column {unknown[0]!r} to write to.", f"Its columns are: {', '.join(columns)}.")
    return cells


def _proposal(
    workspace: Workspace, now: DataVersion, staged: Path, counts: tuple[int, int], progress: Progress
) -> Proposal:
    settings = settings_of(workspace, now.pipeline)
    prefix = f"data/raw/{settings.data}"
    after = version_of(
        "the new version",
        now.pipeline,
        settings,
        staged,
        lambda path: f"{prefix}/{path.relative_to(staged).as_posix()}".rstrip("/."),
    )
    if len(after.unread) > len(now.unread):
        names = ", ".join(sorted({*after.unread} - {*now.unread}))
        raise UserError(
            f"{names} would not be read: no pattern of ingest.files fits, or the ending is not known.",
            "Rename the file so that a pattern fits, or add one to ingest.files in params.yaml.",
        )
    diff = data_diff(workspace, now, after, progress)
    validation = judged(workspace, now.pipeline, settings.task, settings.validation, diff.sides[1])
    tracked = workspace.raw(f"{settings.data}.dvc").read_text(encoding="utf-8")
    return Proposal(now.pipeline, settings.data, staged, diff, validation, *counts, before=tracked)


def _any_file(settings: PipelineSettings) -> PipelineSettings:
    """Reading a file that comes from elsewhere: its name need not fit the patterns yet."""
    return settings.model_copy(update={"ingest": settings.ingest.model_copy(update={"files": {"*": "auto"}})})


def _existing(path: Path) -> Path:
    if not path.exists():
        raise UserError(f"{path} is no file and no folder.", "Correct the path.")
    return path


def _name_in(path: Path, file: RawFile) -> str:
    return file.path.relative_to(path).as_posix() if path.is_dir() else file.path.name


def _copy(file: RawFile, target: Path) -> None:
    if target.exists():
        raise UserError(f"Two of the files are called {target.name}.", "Rename one of them.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file.path, target)


def _free_name(path: Path) -> Path:
    """`batch.csv`, or `batch-2.csv` where that is taken, and so on."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
