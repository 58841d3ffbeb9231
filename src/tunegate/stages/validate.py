"""Check every row: what stays goes to its split, what does not goes to the quarantine with its reason."""

import json
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pydantic import Field

from tunegate.errors import UserError
from tunegate.params import ValidateSettings
from tunegate.records import QUARANTINE, SPLITS, answer_columns, read_table, write_table
from tunegate.stages import Context, Report
from tunegate.task import RecordPart
from tunegate.tasks import examples_maker_of, record_of
from tunegate.validation.checks import Rules
from tunegate.validation.collect import batches
from tunegate.validation.details import Details
from tunegate.validation.examine import Examination, examine
from tunegate.validation.known import Known, read_previous, with_summary
from tunegate.validation.messages import percent
from tunegate.validation.page import Page, page
from tunegate.validation.suites import own_suite
from tunegate.workspace import write_atomically


class ValidateReport(Report):
    """`rows` are all input rows, rejected lines included; each is in one of the splits or quarantined."""

    rows: int
    rejected: int
    quarantined: int  # rejected lines included
    kept: dict[str, int]  # split to rows
    quarantined_by_rule: dict[str, int]
    accepted: bool
    reasons: list[str]
    messages: list[str]
    labels: dict[str, dict[str, int]]  # label to split to rows
    examples: dict[str, int] = Field(default={})  # split to what was made of its rows, where a task makes something

    def markdown(self) -> str:
        share = percent(self.quarantined / self.rows) if self.rows else "none"
        verdict = "accepted" if self.accepted else "**refused**"
        return "\n".join(
            [
                f"The data is {verdict}: of {self.rows} rows {self.quarantined} are quarantined ({share}).\n",
                *(f"- {reason}" for reason in self.reasons),
                "\n| split | rows |\n|---|---|",
                *(f"| {split} | {number} |" for split, number in self.kept.items()),
                *(
                    [
                        "\nMade of them: "
                        + ", ".join(f"{split} {n:,}" for split, n in self.examples.items())
                        + " examples."
                    ]
                    if self.examples
                    else []
                ),
                "\n## What was found\n",
                *([f"- {_escaped(message)}" for message in self.messages] or ["Nothing."]),
                "\n## Labels\n\n| label | train | validation | test |\n|---|---|---|---|",
                *(
                    f"| {_escaped(label)} | {counts['train']} | {counts['validation']} | {counts['test']} |"
                    for label, counts in self.labels.items()
                ),
                "",
            ]
        )


def run(context: Context) -> ValidateReport:
    settings = context.settings(ValidateSettings)
    part = record_of(context.task)
    rows = ds.dataset(context.path("ingest", "records.parquet"))
    rejects = read_table(context.path("ingest", "rejects.parquet"))
    examination = examine(
        rows,
        len(rejects),
        Rules(part, settings, _known(context), own_suite(context.workspace.root, settings.suite)),
        lambda done, total: context.progress.advance("rows", done, total),
    )
    kept = _write_rows(context.out, rows, rejects, examination, part)
    examples = _write_examples(context, part)
    write_table(with_summary(_facts_with_rule(examination), examination.facts.words), context.out / "facts.parquet")
    _write_json(context.out / "suite.json", examination.suites)
    _write_json(context.out / "labels.json", _labels(context.inputs.labels, rows, examination, part))
    reasons = examination.reasons
    _write_json(context.out / "verdict.json", {"accepted": not reasons, "reasons": reasons})
    report = _report(examination, rejects, kept).model_copy(update={"examples": examples})
    write_atomically(context.out / "report.html", page(_page(context, report, examination)))
    for message in report.messages:
        if message not in reasons:  # those stop the next stage, which says them
            context.progress.say(message)
    return report


def _known(context: Context) -> Known:
    if context.inputs.previous is None:
        return Known(tuple(context.inputs.labels))
    previous = read_previous(context.reference("previous") / "facts.parquet")
    if previous is None:
        context.progress.say("the data version before was judged by another version of tunegate: it is not compared.")
    return Known(tuple(context.inputs.labels), previous)


def _facts_with_rule(examination: Examination) -> pa.Table:
    codes = [check.code for check in examination.checks]
    numbers = pa.array(examination.rule, mask=examination.rule < 0)
    return examination.facts.table.append_column("rule", pa.array(codes, type=pa.string()).take(numbers))


def _labels(known: list[str], rows: ds.Dataset, examination: Examination, part: RecordPart) -> list[str]:
    """Append-only: the known ones in their order, then the new ones, so that old models stay loadable."""
    kept = rows.to_table(columns=answer_columns(part.PAYLOAD)).filter(pa.array(examination.rule < 0))
    occurring = part.labels(kept)
    return [*known, *(label for label in occurring if label not in set(known))]


def _write_rows(
    out: Path, rows: ds.Dataset, rejects: pa.Table, examination: Examination, part: RecordPart
) -> dict[str, int]:
    """The splits and the quarantine, in one pass; the answer is the number of rows per split."""
    counts = dict.fromkeys(SPLITS, 0)
    details = Details(examination.facts, part)
    start = 0
    with ExitStack() as stack:
        writers = {
            split: stack.enter_context(pq.ParquetWriter(out / f"{split}.parquet", rows.schema, compression="zstd"))
            for split in SPLITS
        }
        quarantine = stack.enter_context(pq.ParquetWriter(out / "quarantine.parquet", QUARANTINE, compression="zstd"))
        for batch in batches(rows):
            rule = examination.rule[start : start + len(batch)]
            split = np.asarray(batch.column("split").to_numpy(zero_copy_only=False))
            for name, writer in writers.items():
                stays = batch.filter(pa.array((rule < 0) & (split == name)))
                counts[name] += len(stays)
                if len(stays):
                    writer.write_batch(stays)
            if (rule >= 0).any():
                quarantine.write_table(_quarantined(batch, start, examination, details, part))
            start += len(batch)
        quarantine.write_table(_rejected(rejects))
    return counts


def _write_examples(context: Context, part: RecordPart) -> dict[str, int]:
    """The splits' rows become what is learnt from them and judged, where a task makes that of its records; split to
    their number, empty where it does not."""
    make = examples_maker_of(part)
    if make is None:
        return {}
    made: dict[str, int] = {}
    for split in SPLITS:
        path = context.out / f"{split}.parquet"
        examples = make(pq.read_table(path), context.options, partial(_named_file, context.workspace.root))
        write_table(examples, path)
        made[split] = len(examples)
    return made


def _named_file(root: Path, name: str) -> str:
    try:
        return (root / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{name}, which options in params.yaml name, cannot be read: {error}.",
            "Name a file in UTF-8, relative to the project's root.",
        ) from error


def _quarantined(
    batch: pa.RecordBatch, start: int, examination: Examination, details: Details, part: RecordPart
) -> pa.Table:
    numbers = np.flatnonzero(examination.rule[start : start + len(batch)] >= 0)
    payload = [one.name for one in part.PAYLOAD]
    found = []
    for number, row in zip(numbers.tolist(), batch.take(pa.array(numbers)).to_pylist(), strict=True):
        check = examination.checks[examination.rule[start + number]]
        raw = {name: row[name] for name in (*payload, "group", "annotator", "meta") if row.get(name) is not None}
        found.append(
            {name: row[name] for name in ("id", "split", "source", "source_line")}
            | {
                "rule": check.code,
                "reason": f"{check.what}{details.of(check, start + number, row)}",
                "remedy": check.remedy,
                "raw": json.dumps(raw, ensure_ascii=False),
            }
        )
    return pa.Table.from_pylist(found, schema=QUARANTINE)


def _rejected(rejects: pa.Table) -> pa.Table:
    """Lines that never became records: no id, no split."""
    nothing = pa.nulls(len(rejects), pa.string())
    columns = [nothing if name in ("id", "split") else rejects[name] for name in QUARANTINE.names]
    return pa.Table.from_arrays(columns, schema=QUARANTINE)


def _report(examination: Examination, rejects: pa.Table, kept: dict[str, int]) -> ValidateReport:
    by_rule = examination.quarantined_by_rule()
    for rule in rejects["rule"].to_pylist():
        by_rule[rule] = by_rule.get(rule, 0) + 1
    return ValidateReport(
        rows=examination.sizes.rows,
        rejected=len(rejects),
        quarantined=sum(by_rule.values()),
        kept=kept,
        quarantined_by_rule=dict(sorted(by_rule.items(), key=lambda item: (-item[1], item[0]))),
        accepted=not examination.reasons,
        reasons=examination.reasons,
        messages=[finding.sentence() for finding in examination.findings],
        labels=examination.labels,
    )


def _page(context: Context, report: ValidateReport, examination: Examination) -> Page:
    quarantine = read_table(context.out / "quarantine.parquet")
    return Page(
        title=context.pipeline,
        rows=report.rows,
        quarantined=report.quarantined,
        kept=report.kept,
        by_rule=report.quarantined_by_rule,
        reasons=report.reasons,
        findings=examination.findings,
        labels=report.labels,
        quarantine=quarantine.slice(0, Page.SHOWN).to_pylist(),
    )


def _write_json(path: Path, value: Any) -> None:
    write_atomically(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _escaped(text: str) -> str:
    """Text from the data in Markdown: no table cell, tag or link may come of it."""
    for character in "\\`*_[]<>|":
        text = text.replace(character, "\\" + character)
    return text.replace("\n", " ")
