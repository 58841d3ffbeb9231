"""Where the raw data of a new pipeline is, and what is known of it before it is read."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunegate.catalogue.fetching import MIRROR_VARIABLE, fetch_set
from tunegate.catalogue.sets import PublicSet, public_sets
from tunegate.dvc.storage import pull_missing
from tunegate.dvc.tracking import track
from tunegate.errors import UserError, did_you_mean
from tunegate.new_pipeline.survey import split_files
from tunegate.text.readers.plain import plain_form
from tunegate.workspace import Workspace

Sections = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class RawData:
    """`folder` is a file or folder to read. `copied` says that it is the person's own and must come into data/raw.

    `ingest` and `split` are settings that follow from what the files are.
    """

    folder: Path
    copied: bool
    ingest: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)


def find_data(workspace: Workspace, data: str) -> RawData:
    """A path, a name under data/raw, or a public set, which is fetched. Raises UserError for what is none of them."""
    path, raw = Path(data).expanduser(), workspace.raw("").resolve()
    if path.exists() and path.resolve().parent == raw:
        return _known(path.resolve())
    if path.exists():
        return RawData(path, True, **_settings_for(path))
    if "/" not in data and (workspace.raw(data).exists() or workspace.raw(f"{data}.dvc").exists()):
        pull_missing(workspace, [workspace.raw(data)])
        return _known(workspace.raw(data))
    if data in public_sets():
        return _known(_fetch(workspace, public_sets()[data]))
    raise UserError(
        f'"{data}" is no file or folder, no name under data/raw and no public set.{did_you_mean(data, public_sets())}',
        "Check the path; `tunegate data list` shows the public sets.",
    )


def _known(folder: Path) -> RawData:
    """What lies in data/raw; of a public set the catalogue knows how it is read."""
    if public := public_sets().get(folder.name):
        ingest, split = (part.model_dump(mode="json", exclude_defaults=True) for part in (public.ingest, public.split))
        return RawData(folder, False, ingest, split)
    return RawData(folder, False, **_settings_for(folder))


def _fetch(workspace: Workspace, public: PublicSet) -> Path:
    folder, mirror = workspace.raw(public.name), os.environ.get(MIRROR_VARIABLE)
    fetch_set(public, folder, Path(mirror) if mirror else None, lambda name: None)
    track(workspace, folder)
    return folder


def _settings_for(data: Path) -> dict[str, dict[str, Any]]:
    """Settings that the names of the files make needed."""
    settings = _splits_for(split_files(data))
    inside = [data] if data.is_file() else [path for path in data.rglob("*") if path.is_file()]
    form = plain_form([path for path in inside if not path.name.startswith(".")])
    return settings if form is None else {**settings, "ingest": {**settings.get("ingest", {}), "format": form}}


def _splits_for(files: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Of files named for splits. Without validation rows of their own, training rows give some; without test rows the
    validation file's are those, for a model that nobody tests passes no gate."""
    given = set(files.values())
    if "validation" in given and "test" not in given:
        return _splits_for({name: "test" if split == "validation" else split for name, split in files.items()})
    if not files or "validation" in given:
        return {"ingest": {"files": dict(files)}} if files else {}
    auto = {name: "auto" if split == "train" else split for name, split in files.items()}
    return {"ingest": {"files": auto}, "split": {"test": 0.0} if "test" in given else {}}
