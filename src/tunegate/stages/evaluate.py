"""evaluate: the exported model in each precision it ships, cheap baselines, champion and best, on held-out rows."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from tunegate.behaviour.running import run_behaviour
from tunegate.engines import why_not
from tunegate.errors import UserError
from tunegate.evaluation.answers import counted, seen, side_by_side
from tunegate.evaluation.contest import Contest, Facts, findings, surest_mistakes
from tunegate.evaluation.findings import Findings, Latency
from tunegate.evaluation.latency import cpu_name, measure
from tunegate.evaluation.leave_outs import leave_outs
from tunegate.evaluation.page import Page, page
from tunegate.evaluation.plots import Confusion, confusion_csv, reliability_csv
from tunegate.evaluation.right import right_of
from tunegate.evaluation.rivals import Asking, Rival, rivals
from tunegate.evaluation.rows import rows_table
from tunegate.evaluation.scores import Resampling
from tunegate.evaluation.words import sure_in_words, version_in_words
from tunegate.exported import MANIFEST, files_in, read_fitted, read_manifest, sha256, write_json
from tunegate.params import EvaluateSettings, Precision
from tunegate.predictor import PREFERRED, Predictor
from tunegate.records import label_column, read_table, write_table
from tunegate.stages import Context, Report
from tunegate.statistics.calibration import reliability
from tunegate.tasks import answering_of, record_of
from tunegate.workspace import write_atomically

LATENCY_ROWS = 200  # whose texts make the records that are timed
MISTAKES = 30  # shown in the report; all answers are in answers.parquet


class EvaluateReport(Report, Findings):
    """The findings; what they mean is the gate's to say."""

    def markdown(self) -> str:
        head = (
            f"**{self.primary.name} {self.primary.value:.3f}** (95 %: {self.primary.low:.3f} to "
            f"{self.primary.high:.3f}, {self.rows:,} test rows, {self.served}); best cheap "
            f"baseline ({self.baseline.model}) {self.baseline.value:.3f}; difference {self.difference.value:+.3f} "
            f"({self.difference.low:+.3f} to {self.difference.high:+.3f}).\n\n"
        )
        names = list(next(iter(self.models.values())).metrics)
        lines = [f"| model | {' | '.join(names)} | calibration error |", "|---" * (len(names) + 2) + "|"]
        for name, model in self.models.items():
            cells = [f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})" for found in model.metrics.values()]
            lines.append(f"| {name}: {model.what} | {' | '.join(cells)} | {model.calibration_error.value:.3f} |")
        lines += ["", *map(version_in_words, self.versions)] if self.versions else []
        lines += ["", sure_in_words(self.sure)] if self.sure else []
        return head + "\n".join(lines) + "\n"


def run(context: Context) -> EvaluateReport:
    """Raises UserError when there are no test rows, or a shipped precision cannot be computed here."""
    settings = context.settings(EvaluateSettings)
    records = read_table(context.path("validate", "test.parquet"))
    if len(records) == 0:
        raise UserError(
            "There are no test rows, so nothing can be said of the model.",
            "Raise split.test in params.yaml, or give some rows the split `test`.",
        )
    predictors = _predictors(context)
    contest = _contest(context, records, predictors, settings.seed)
    answers = side_by_side(records, contest.payload, contest.answers, contest.labels_by_model)
    write_table(answers, context.out / "answers.parquet")
    write_table(counted(contest.counts), context.out / "counts.parquet")
    write_table(_rows(contest), context.out / "rows.parquet")
    found = findings(contest, _facts(context, contest), Resampling(settings.resamples, settings.seed))
    _write_page(context, contest, found)
    _write_latency(context, contest, settings)
    _write_behaviour(context, contest, predictors, settings)
    return EvaluateReport.model_validate(found.model_dump())


def _contest(context: Context, records: pa.Table, predictors: Mapping[Precision, Predictor], seed: int) -> Contest:
    """Everybody's answers; the baselines are trained here, on the rows that the candidate was trained on."""
    manifest, answering = read_manifest(context.path("export")), answering_of(context.task)
    candidates = {name: _ask(context, name, predictor, records) for name, predictor in predictors.items()}
    context.progress.say("training the baselines")
    train = read_table(context.path("validate", "train.parquet"))
    learnt = [train, read_table(context.path("validate", "validation.parquet"))]
    payload = record_of(context.task).PAYLOAD
    return Contest(
        task=context.task,
        payload=payload,
        answering=answering,
        labels=manifest.labels,
        records=records,
        candidates=candidates,
        baselines=answering.baselines(train, records, manifest.labels, seed),
        rivals=_rivals(context, records),
        left_out=leave_outs(records, learnt, payload, None),
    )


def _rivals(context: Context, records: pa.Table) -> list[Rival]:
    """Champion and best version, where there are any, asked the same rows."""
    asking = Asking(
        task=context.task,
        payload=record_of(context.task).PAYLOAD,
        records=records,
        folder=context.fetched,
        threads=os.cpu_count() or 1,
        advance=lambda what: lambda done, total: context.progress.advance(what, done, total),
    )
    return rivals({"champion": context.inputs.champion, "best": context.inputs.best}, asking)


def _predictors(context: Context) -> dict[Precision, Predictor]:
    """The candidate in each precision that it ships. Raises UserError where this machine does not compute one."""
    folder = context.path("export")
    shipped = read_manifest(folder).precisions
    return {name: _predictor(folder, name) for name in PREFERRED if name in shipped}


def _predictor(folder: Path, precision: Precision) -> Predictor:
    if reason := why_not(precision):
        raise UserError(
            f"The model ships in {precision}, which cannot be judged on this machine: {reason}.",
            "Set export.precisions to [fp32] and run again, or run evaluate on a machine that computes it.",
        )
    return Predictor.open(folder, precision, threads=os.cpu_count() or 1)


def _ask(context: Context, precision: Precision, predictor: Predictor, records: pa.Table) -> pa.Table:
    what = f"test rows in {precision}"
    return predictor.answers(records, lambda done, total: context.progress.advance(what, done, total))


def _facts(context: Context, contest: Contest) -> Facts:
    folder = context.path("export")
    train = read_table(context.path("validate", "train.parquet"))
    names = [MANIFEST, *files_in(folder)]
    return Facts(
        export=read_manifest(folder).digest,
        answers=sha256(context.out / "answers.parquet"),
        seen_in_training=seen(train, contest.records, contest.payload),
        megabytes=round(sum((folder / name).stat().st_size for name in names) / 1e6, 3),
        fitted=read_fitted(folder, contest.served),
    )


def _rows(contest: Contest) -> pa.Table:
    found = {str(rival.name): rival.left_out for rival in contest.rivals if rival.left_out is not None}
    if contest.left_out is None:
        raise TypeError("the candidate's own training rows were not looked at")
    new = next((rival.new for rival in contest.rivals if rival.name == "champion"), None)
    return rows_table(contest.records, contest.payload, contest.left_out, found, new)


def _write_page(context: Context, contest: Contest, found: Findings) -> None:
    answers, counts = contest.answers[contest.served], contest.counts[contest.served]
    table = reliability(contest.answering.confidence(answers), right_of(counts))
    label = label_column(contest.payload)
    truth: list[Any] = contest.records[label].to_pylist() if label else [None] * len(contest.records)
    decided = contest.answering.decided(answers)
    confusion = Confusion.of(truth, decided, contest.labels)
    write_atomically(context.plot("reliability"), reliability_csv(table))
    crossed = confusion_csv(truth, decided) if confusion else confusion_csv([], [])
    write_atomically(context.plot("confusion"), crossed)
    mistakes = surest_mistakes(contest, MISTAKES)
    content = Page(f"{context.pipeline}: scores on held-out rows", found, confusion, table, mistakes)
    write_atomically(context.out / "report.html", page(content))


def _write_latency(context: Context, contest: Contest, settings: EvaluateSettings) -> None:
    """One thread and one record at a time: what a client of an idle service waits for, without the network."""
    rows = contest.records.slice(0, LATENCY_ROWS)
    times = {}
    for precision in contest.candidates:
        context.progress.say(f"measuring latency in {precision}")
        predictor = Predictor.open(context.path("export"), precision, threads=1)
        times[precision] = measure(predictor, rows, settings.latency_lengths, settings.latency_repeats)
    latency = Latency(cpu=cpu_name(), threads=1, times=times)
    write_json(context.workspace.report(context.pipeline, "latency"), latency.model_dump(mode="json"))


def _write_behaviour(
    context: Context, contest: Contest, predictors: Mapping[Precision, Predictor], settings: EvaluateSettings
) -> None:
    """Tests that people wrote, where there are any, in every precision that ships."""
    if settings.behaviour is None:
        return
    context.progress.say(f"running the behaviour tests of {settings.behaviour}")
    path = context.workspace.root / settings.behaviour
    found = run_behaviour(path, settings.behaviour, contest.records, predictors, settings.seed)
    write_json(context.out / "behaviour.json", found.model_dump(mode="json"))
