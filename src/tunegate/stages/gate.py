"""gate: PASS, FAIL or UNDECIDED, each with its reasons. The stage succeeds whatever the verdict is."""

import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tunegate.behaviour.results import Behaviour
from tunegate.errors import UserError
from tunegate.evaluation.findings import Findings, Latency
from tunegate.exported import sha256, write_json
from tunegate.gate import combine, judge, words
from tunegate.gate.against import improved
from tunegate.gate.arrived import read_arrived
from tunegate.gate.checks import Check, Evidence, Verdict
from tunegate.gate.notes import Compared, Note, compared_with, notes
from tunegate.gate.sliced import Slice, read_sliced, without_rows
from tunegate.params import GateSettings, Precision
from tunegate.records import answer_columns
from tunegate.stages import Context, Report
from tunegate.tasks import answering_of, record_of

T = TypeVar("T", bound=BaseModel)
BEHAVIOUR = "behaviour.json"


class GateReport(Report):
    """`hash` names what decided: an approval of a verdict names it, and no other verdict has it.

    `improved` (None where nothing was compared) and `improved_on_best` say whether the model that serves is surely
    better: that decides nothing here, and the latter is how the best version ever is found.
    """

    verdict: Verdict
    hash: str
    checks: list[Check]
    notes: list[Note]
    slices: list[Slice]
    compared_with: list[Compared]
    improved: bool | None
    improved_on_best: bool

    def markdown(self) -> str:
        lines = [f"**{self.verdict}** (`{self.hash[:12]}`)\n", *words.checks_table(self.checks)]
        lines += words.versions_line(self.compared_with, self.improved)
        lines += words.remedies(self.checks)
        lines += words.slices_table(self.slices)
        lines += words.notes_list(self.notes)
        return "\n".join(lines) + "\n"


def run(context: Context) -> GateReport:
    """Raises UserError when what evaluate should have found is missing or damaged."""
    settings = context.settings(GateSettings)
    findings = _read(context.workspace.report(context.pipeline, "evaluate"), Findings)
    latency = _read(context.workspace.report(context.pipeline, "latency"), Latency)
    if sha256(context.path("evaluate", "answers.parquet")) != findings.answers:
        raise UserError(
            "The answers in evaluate/answers.parquet are not those that evaluate.json was made from.",
            "Run the pipeline again with --force evaluate.",
        )
    behaviour = _read(context.path("evaluate", BEHAVIOUR), Behaviour) if _tested(context) else None
    labels = tuple(answer_columns(record_of(context.task).PAYLOAD))
    sliced = read_sliced(context.path("evaluate"), findings, labels, settings)
    arrived = read_arrived(context.path("evaluate"), findings, answering_of(context.task))
    evidence = Evidence(
        findings,
        latency,
        settings,
        _temperatures(context),
        behaviour=behaviour,
        sliced=sliced,
        unseen=without_rows(context.path("evaluate"), labels, settings),
        arrived=arrived,
    )
    report = _report(context, evidence)
    verdict, checks = report.verdict, report.checks
    context.progress.say(f"{verdict}: " + "; ".join(f"{check.name} {check.verdict}" for check in checks))
    write_json(context.out / "verdict.json", _without_times(report, findings))
    return report


def _report(context: Context, evidence: Evidence) -> GateReport:
    checks = judge(evidence)
    verdict = combine(checks)
    return GateReport(
        verdict=verdict,
        hash=verdict_hash(_decided_by(context, evidence.findings, evidence.settings, checks, verdict)),
        checks=checks,
        notes=notes(evidence),
        slices=evidence.slices,
        compared_with=compared_with(evidence),
        improved=improved(evidence, "champion"),
        improved_on_best=bool(improved(evidence, "best")),
    )


def _tested(context: Context) -> bool:
    """Whether there were behaviour tests: evaluate's folder holds what its last run made, and nothing else."""
    return context.path("evaluate", BEHAVIOUR).is_file()


def _temperatures(context: Context) -> dict[Precision, float]:
    """Of the precisions for which the task fitted one."""
    fitted = json.loads(context.path("export", "fitted.json").read_text(encoding="utf-8"))
    return {name: parts["temperature"] for name, parts in fitted.items() if "temperature" in parts}


def verdict_hash(decided_by: dict[str, Any]) -> str:
    """SHA-256 of what decided, whatever the order of keys."""
    return hashlib.sha256(json.dumps(decided_by, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _decided_by(
    context: Context, findings: Findings, settings: GateSettings, checks: list[Check], verdict: Verdict
) -> dict[str, Any]:
    """Answers, settings and references; of measured times only which side of their budget they fell on."""
    references = {name: getattr(context.inputs, name) for name in ("champion", "best")}
    return {
        "task": findings.task,
        "export": findings.export,
        "test_rows": findings.fingerprint,
        "answers": findings.answers,
        "behaviour": sha256(context.path("evaluate", BEHAVIOUR)) if _tested(context) else None,
        "settings": settings.model_dump(mode="json"),
        "references": {name: found.hash if found else None for name, found in references.items()},
        "checks": {check.name: check.verdict for check in checks},
        "verdict": verdict,
    }


def _without_times(report: GateReport, findings: Findings) -> dict[str, Any]:
    """What package reads: the same bytes whenever the same things decided."""
    return {
        "verdict": report.verdict,
        "hash": report.hash,
        "reasons": [f"{check.name}: {check.reason}" for check in report.checks if check.verdict != "PASS"],
        "checks": {check.name: check.verdict for check in report.checks},
        "export": findings.export,
        "test_rows": findings.fingerprint,
    }


def _read(path: Path, kind: type[T]) -> T:
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing.", "Run the pipeline again with --force evaluate.") from error
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(map(str, detail["loc"])) or "it"
        raise UserError(
            f"{path}: {where}: {detail['msg']}.", "Run the pipeline again with --force evaluate; do not edit reports."
        ) from error
