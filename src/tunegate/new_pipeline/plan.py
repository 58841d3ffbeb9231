"""What `new` will write, decided and validated as a whole before anything is written; and its carrying out."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunegate.behaviour.starter import starter
from tunegate.dvc.tracking import track
from tunegate.errors import TunegateError, UserError
from tunegate.new_pipeline.answers import as_own_field, check_answers
from tunegate.new_pipeline.columns import AskColumn, choose_columns
from tunegate.new_pipeline.data import RawData, find_data
from tunegate.new_pipeline.entry import add_entry, check_new_name, entry_of, ignore_outputs
from tunegate.new_pipeline.lists import choose_lists
from tunegate.new_pipeline.margin import Unit, first_margin, margin_comment, unit_of
from tunegate.new_pipeline.survey import Survey, files_to_read, sample_values, survey
from tunegate.new_pipeline.task import AskTask, choose_task
from tunegate.params import GateSettings, PipelineSettings
from tunegate.records import Payload, number_column, question_columns
from tunegate.stages import STAGES
from tunegate.statistics.power import certified_margin
from tunegate.task import Metric
from tunegate.tasks import TASKS, answering_of, check_task, record_of
from tunegate.workspace import Workspace, fresh_folder, write_atomically

MARGINS: dict[Unit, tuple[str, str]] = {
    "points": ("a share of the rows", "One point is 0.01."),
    "deviations": ("a share of the numbers' standard deviation", "A tenth of it is 0.1."),
    "loss": ("a difference of losses", "0.05 is a pseudo-perplexity that is 5 % higher."),
}
"""What a margin is, and how to say one."""


@dataclass(frozen=True)
class Request:
    """What the person said. `data` is a path, a name under data/raw or a public set; `columns` is field to column.

    An empty `task` is told by the data's columns."""

    name: str
    data: str
    task: str
    model: str
    columns: Mapping[str, str]
    encoding: str | None = None
    delimiter: str | None = None
    label_columns: tuple[str, ...] = ()
    label_delimiter: str | None = None
    margin: float | None = None  # None: the smallest that the test rows can certify, within reason


@dataclass(frozen=True)
class Plan:
    """`source` is what must be copied into the project, or None where the data lies in data/raw already."""

    name: str
    settings: PipelineSettings
    survey: Survey
    source: Path | None
    unread: list[str]

    def with_margin(self, margin: float) -> "Plan":
        """The same with another margin. Raises UserError for what is none."""
        try:
            gate = GateSettings.model_validate({**self.settings.gate.model_dump(), "margin": margin})
        except ValidationError as error:
            what, remedy = MARGINS[self.unit]
            raise UserError(f"A margin of {margin:g} cannot be: it is {what}, above 0 and below 1.", remedy) from error
        return replace(self, settings=self.settings.model_copy(update={"gate": gate}))

    @property
    def metric(self) -> Metric:
        """The primary one."""
        return answering_of(self.settings.task).METRICS[0]

    @property
    def unit(self) -> Unit:
        """What the margin is measured in."""
        return unit_of(self.metric)

    @property
    def entry(self) -> dict[str, Any]:
        """As it is written: the margin stands there also where it is the default, for it is the person's choice."""
        entry = entry_of(self.settings)
        return {**entry, "gate": {**entry.get("gate", {}), "margin": self.settings.gate.margin}}

    def summary(self) -> dict[str, Any]:
        """For other programs."""
        test_rows = self.survey.splits["test"]
        return {
            "pipeline": self.name,
            "entry": self.entry,
            **asdict(self.survey),
            "unread": self.unread,
            "margin": certified_margin(test_rows) if test_rows and self.unit == "points" else None,
        }


def make_plan(workspace: Workspace, request: Request, ask: AskColumn | None, ask_task: AskTask | None = None) -> Plan:
    """Look at the data and choose. Raises UserError for whatever stands in the way."""
    check_new_name(request.name, workspace.params)
    if request.task:
        check_task(request.task)
    data = find_data(workspace, request.data)
    if not request.task:
        request = replace(request, task=_told_task(request, data, ask_task))
    part = record_of(request.task)
    payload = part.PAYLOAD
    settings = _settings(request, data, data.ingest.get("columns", {}))
    files, unread = files_to_read(data.folder, settings.ingest)
    given = {**settings.ingest.columns, **as_own_field(request.columns, payload)}
    lists, given = choose_lists(payload, sample_values(files, settings.ingest), given)
    settings = _settings(
        request, replace(data, ingest={**data.ingest, "lists": {**settings.ingest.lists, **lists}}), {}
    )
    check_answers(files, settings.ingest, payload, given)
    columns = choose_columns(payload, sample_values(files, settings.ingest), given, ask)
    settings = settings.model_copy(update={"ingest": settings.ingest.model_copy(update={"columns": columns})})
    found = survey(files, part, settings.ingest, settings.split)
    settings = settings.model_copy(update=_by_rows(settings, found, payload))
    plan = Plan(request.name, settings, found, data.folder if data.copied else None, unread)
    first = first_margin(found.splits["test"], plan.unit)
    return plan.with_margin(first if request.margin is None else request.margin)


def _by_rows(settings: PipelineSettings, found: Survey, payload: Sequence[Payload]) -> dict[str, Any]:
    """What follows from the rows that were found."""
    changed: dict[str, Any] = {"options": dict(found.options)} if found.options else {}
    # Behaviour tests change texts, and not words with an answer each: without a text they have no case.
    answered = any(column.required for column in payload if column.kind in ("label", "labels", "answer"))
    if not answered or not any(column.is_plain_text and column.name in found.columns for column in payload):
        changed["evaluate"] = settings.evaluate.model_copy(update={"behaviour": None})
    return changed


def carry_out(workspace: Workspace, plan: Plan) -> list[str]:
    """Copy and track the data, then write the entry: a failure on the way leaves params.yaml as it was.

    Returns the files that git should keep, relative to the project.
    """
    if plan.source:
        _bring(workspace, plan.source, workspace.raw(plan.name))
    tests = _write_tests(workspace, plan)
    said = margin_comment(plan.settings.gate.margin, plan.survey.splits["test"], plan.metric)
    add_entry(workspace.params, plan.name, plan.entry, {("gate", "margin"): said})
    raw = workspace.raw(plan.settings.data)
    ignored = ignore_outputs(workspace, plan.name, STAGES)
    kept = [workspace.params, tests, raw.with_name(f"{raw.name}.dvc"), raw.parent / ".gitignore", ignored]
    return [workspace.relative(path) for path in kept if path.is_file()]


def _told_task(request: Request, data: RawData, ask: AskTask | None) -> str:
    """By the columns; those that the catalogue or the person named count as named."""
    any_task = next(iter(TASKS))  # how files are read does not depend on it
    settings = _settings(replace(request, task=any_task), data, data.ingest.get("columns", {})).ingest
    files, _ = files_to_read(data.folder, settings)
    return choose_task(sample_values(files, settings), {**settings.columns, **request.columns}, ask)


def _settings(request: Request, data: RawData, columns: Mapping[str, str]) -> PipelineSettings:
    said = {
        "encoding": request.encoding,
        "delimiter": request.delimiter,
        "label_columns": list(request.label_columns),
        "label_delimiter": request.label_delimiter,
    }
    ingest = {**data.ingest, "columns": dict(columns), **{name: value for name, value in said.items() if value}}
    entry = {
        "task": request.task,
        "data": request.name if data.copied else data.folder.name,
        "model": request.model,
        "ingest": ingest,
        "split": dict(data.split),
        "evaluate": {"behaviour": _behaviour(request.name)},
    }
    try:
        return PipelineSettings.model_validate(entry)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise UserError(
            f"--{wrong['loc'][-1]} {wrong['input']!r} cannot be: {wrong['msg'].removeprefix('Value error, ')}.",
            "See `tunegate new --help`.",
        ) from error


def _behaviour(pipeline: str) -> str:
    return f"behaviour/{pipeline}.yaml"


def _write_tests(workspace: Workspace, plan: Plan) -> Path:
    """A first file of behaviour tests, where a person has not written one already."""
    path = workspace.root / _behaviour(plan.name)
    if plan.settings.evaluate.behaviour and not path.exists():
        payload = record_of(plan.settings.task).PAYLOAD
        named = question_columns(payload)
        texts = [value for row in plan.survey.first for name, value in row.items() if name in named]
        # Of a text that many questions share the answers are parts: it is left as it is.
        own = [column.name for column in payload if column.is_plain_text and not column.shared]
        changed = own if any(column.shared for column in payload) else None
        numbers = number_column(payload) is not None
        write_atomically(path, starter(plan.name, texts, list(plan.survey.labels), changed, numbers=numbers))
    return path


def _bring(workspace: Workspace, source: Path, target: Path) -> None:
    """Copy into data/raw and let DVC keep it."""
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
        track(workspace, target)
    except TunegateError:
        shutil.rmtree(target)
        raise
