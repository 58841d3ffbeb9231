"""A pipeline as its last run left it, for the gate's self-test: rows, answers and findings from evaluate's folder."""

import os
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
from pydantic import BaseModel, ValidationError

from tunegate.behaviour.results import Behaviour
from tunegate.errors import UserError
from tunegate.evaluation.answers import answers_of
from tunegate.evaluation.findings import Findings, Latency
from tunegate.exported import read_manifest
from tunegate.gate.regressions import Original
from tunegate.gate.selftest import Subject
from tunegate.gate.trials import Answered, Ground
from tunegate.params import GateSettings
from tunegate.predictor import Predictor
from tunegate.records import answer_columns, question_columns, read_table
from tunegate.statistics.power import DISCORDANCE
from tunegate.tasks import answering_of, record_of
from tunegate.workspace import Workspace

T = TypeVar("T", bound=BaseModel)

LEAST, MOST = 0.01, 0.2  # of an observed discordance that is believed: two versions may be the same, or worlds apart


def read_subject(workspace: Workspace, pipeline: str, settings: GateSettings) -> Subject:
    """With the settings as they are now. Raises UserError where the pipeline has not been run yet."""
    folder = workspace.stage(pipeline, "evaluate")
    findings = _read(workspace.report(pipeline, "evaluate"), Findings, pipeline)
    tested = folder / "behaviour.json"
    records = read_table(workspace.stage(pipeline, "validate") / "test.parquet")
    part = record_of(findings.task)
    labels = tuple(answer_columns(part.PAYLOAD))
    original = Original(
        answering_of(findings.task),
        records,
        _answers(folder, findings.served, records),
        read_manifest(workspace.stage(pipeline, "export")).labels,
        labels,
    )
    ground = Ground(
        metric=original.answering.METRICS[0],
        rows=read_table(folder / "rows.parquet"),
        labels=labels,
        settings=settings,
        baselines={name: Answered(original.counts(_answers(folder, name, records))) for name in findings.baselines},
        latency=_read(workspace.report(pipeline, "latency"), Latency, pipeline),
        megabytes=findings.megabytes,
        seen_in_training=findings.seen_in_training,
        behaviour=_read(tested, Behaviour, pipeline) if tested.is_file() else None,
        precision=findings.served,
    )
    texts = tuple(
        name
        for name in question_columns(part.PAYLOAD)
        if name in records.column_names and pa.types.is_string(records.schema.field(name).type)
    )
    predictor = Predictor.open(workspace.stage(pipeline, "export"), findings.served, threads=os.cpu_count() or 1)
    return Subject(pipeline, ground, original, observed_discordance(findings) or DISCORDANCE, predictor.answers, texts)


def observed_discordance(findings: Findings) -> float | None:
    """On how many rows candidate and champion differ in being right; None where that is not known, or no measure."""
    champion = findings.version("champion")
    for pair in champion.comparisons if champion and not champion.identical else ():
        if pair.wins is not None and pair.losses is not None and pair.difference.n:
            return min(MOST, max(LEAST, (pair.wins + pair.losses) / pair.difference.n))
    return None


def _answers(folder: Path, model: str, records: pa.Table) -> pa.Table:
    return answers_of(folder / "answers.parquet", model, records["id"].to_pylist())


def _read(path: Path, kind: type[T], pipeline: str) -> T:
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise UserError(
            f"{path.name} of {pipeline} is missing or damaged.", f"Run the pipeline first: tunegate run {pipeline}."
        ) from error
