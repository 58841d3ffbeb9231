"""What `new` will write, decided and validated as a whole before anything is written; and its carrying out."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunegate.dvc.storage import pull_missing
from tunegate.dvc.tracking import track
from tunegate.errors import TunegateError, UserError
from tunegate.new_pipeline.columns import AskColumn, choose_columns
from tunegate.new_pipeline.entry import add_entry, check_new_name, entry_of, ignore_outputs
from tunegate.new_pipeline.survey import Survey, files_to_read, sample_values, split_files, survey
from tunegate.params import PipelineSettings
from tunegate.stages import STAGES
from tunegate.statistics.power import certified_margin
from tunegate.tasks import record_of
from tunegate.workspace import Workspace, fresh_folder


@dataclass(frozen=True)
class Request:
    """What the person said. `data` is a path, or a name under data/raw; `columns` is field to column."""

    name: str
    data: str
    task: str
    model: str
    columns: Mapping[str, str]
    encoding: str = "utf-8"
    delimiter: str | None = None


@dataclass(frozen=True)
class Plan:
    """`source` is what must be copied into the project, or None where the data lies in data/raw already."""

    name: str
    settings: PipelineSettings
    survey: Survey
    source: Path | None
    unread: list[str]

    def summary(self) -> dict[str, Any]:
        """For other programs."""
        test_rows = self.survey.splits["test"]
        return {
            "pipeline": self.name,
            "entry": entry_of(self.settings),
            **asdict(self.survey),
            "unread": self.unread,
            "margin": certified_margin(test_rows) if test_rows else None,
        }


def make_plan(workspace: Workspace, request: Request, ask: AskColumn | None) -> Plan:
    """Look at the data and choose. Raises UserError for whatever stands in the way."""
    check_new_name(request.name, workspace.params)
    payload = record_of(request.task).PAYLOAD
    folder, source = _locate(workspace, request.data)
    data = request.name if source else folder.name
    sections = _sections_for(split_files(folder))
    settings = _settings(request, data, sections, {})
    files, unread = files_to_read(folder, settings.ingest)
    columns = choose_columns(payload, sample_values(files, settings.ingest), request.columns, ask)
    settings = _settings(request, data, sections, columns)
    return Plan(request.name, settings, survey(files, payload, settings.ingest, settings.split), source, unread)


def carry_out(workspace: Workspace, plan: Plan) -> list[str]:
    """Copy and track the data, then write the entry: a failure on the way leaves params.yaml as it was.

    Returns the files that git should keep, relative to the project.
    """
    changed = [workspace.params]
    if plan.source:
        changed += _bring(workspace, plan.source, workspace.raw(plan.name))
    add_entry(workspace.params, plan.name, entry_of(plan.settings))
    changed.append(ignore_outputs(workspace, plan.name, STAGES))
    return [workspace.relative(path) for path in changed]


def _locate(workspace: Workspace, data: str) -> tuple[Path, Path | None]:
    """Where the raw files are, and what of it must be copied."""
    path, raw = Path(data).expanduser(), workspace.raw("").resolve()
    if path.exists() and path.resolve().parent == raw:
        return path.resolve(), None
    if path.exists():
        return path, path
    if "/" not in data and (workspace.raw(data).exists() or workspace.raw(f"{data}.dvc").exists()):
        pull_missing(workspace, [workspace.raw(data)])
        return workspace.raw(data), None
    raise UserError(
        f'"{data}" is no file or folder, and no name under data/raw.',
        "Check the path; public data sets come with `tunegate data fetch NAME`, then --data NAME.",
    )


def _sections_for(files: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Settings for files that are named for splits. Rows to choose the best weights by come from the training rows."""
    given = set(files.values())
    if not files:
        return {"ingest": {}, "split": {}}
    if "validation" in given:
        return {"ingest": {"files": dict(files)}, "split": {}}
    auto = {name: "auto" if split == "train" else split for name, split in files.items()}
    return {"ingest": {"files": auto}, "split": {"test": 0.0} if "test" in given else {}}


def _settings(
    request: Request, data: str, sections: Mapping[str, Mapping[str, Any]], columns: Mapping[str, str]
) -> PipelineSettings:
    ingest = {
        **sections["ingest"],
        "columns": dict(columns),
        "encoding": request.encoding,
        "delimiter": request.delimiter,
    }
    entry = {
        "task": request.task,
        "data": data,
        "model": request.model,
        "ingest": ingest,
        "split": dict(sections["split"]),
    }
    try:
        return PipelineSettings.model_validate(entry)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise UserError(
            f"--{wrong['loc'][-1]} {wrong['input']!r} cannot be: {wrong['msg']}.", "See `tunegate new --help`."
        ) from error


def _bring(workspace: Workspace, source: Path, target: Path) -> list[Path]:
    """Copy into data/raw and let DVC keep it. Returns what git keeps of that."""
    if target.exists() or target.with_name(f"{target.name}.dvc").exists():
        raise UserError(
            f"{workspace.relative(target)} is there already.",
            f"Use it as it is with --data {target.name}, or choose another name.",
        )
    with fresh_folder(target) as folder:
        if source.is_dir():
            shutil.copytree(source, folder, dirs_exist_ok=True)
        else:
            shutil.copy2(source, folder / source.name)
    try:
        return [track(workspace, target), target.parent / ".gitignore"]
    except TunegateError:
        shutil.rmtree(target)
        raise
