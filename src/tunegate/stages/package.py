"""package: what passed its gate as a Bento, started once and asked held-out rows over HTTP before it counts."""

import json
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.bento import Packaged
from tunegate.bento.building import build
from tunegate.bento.running import Server, running
from tunegate.engines import TOLERANCE
from tunegate.errors import RefusedError
from tunegate.evaluation.answers import answers_of
from tunegate.exported import read_fitted, read_manifest, sha256
from tunegate.params import PackageSettings, Precision, ServiceSettings
from tunegate.predictor import said
from tunegate.records import question_columns, read_table, texts_of
from tunegate.stages import Context, Report
from tunegate.statistics.abstention import SURE_ABOVE
from tunegate.task import Fitted
from tunegate.tasks import answering_of, record_of
from tunegate.workspace import write_atomically

ROWS_PER_REQUEST = 8


class PackageReport(Report):
    """`why` says why nothing was packaged, or who let it through. `tag` is the Bento's, made from its content."""

    packaged: bool
    why: str
    tag: str | None = None
    approved_by: str | None = None
    asked_rows: int = 0
    largest_difference: float = 0.0  # of any score, between served and evaluated answers

    def markdown(self) -> str:
        if not self.packaged:
            return f"**Not packaged**: {self.why}\n"
        return (
            f"Packaged as `{self.tag}`: {self.why} It was started once and gave the evaluated answers to "
            f"{self.asked_rows} held-out rows (scores differ by {self.largest_difference:.1e} at most).\n"
        )


def run(context: Context) -> PackageReport:
    verdict = json.loads(context.path("gate", "verdict.json").read_text(encoding="utf-8"))
    may, why = allowed(verdict, context.inputs.approval)
    if not may:
        context.progress.say(f"not packaged: {why}")
        return PackageReport(packaged=False, why=why)
    bento = context.out / "bento"
    tag = build(context.path("export"), _packaged(context, verdict), context.workspace.root / "bentofile.yaml", bento)
    write_atomically(context.out / "tag.txt", f"{tag}\n")
    context.progress.say(f"built {tag}")
    asked, difference = _smoke(context, bento)
    approval = context.inputs.approval if verdict["verdict"] != "PASS" else None
    return PackageReport(
        packaged=True,
        why=why,
        tag=tag,
        approved_by=approval["who"] if approval else None,
        asked_rows=asked,
        largest_difference=difference,
    )


def allowed(verdict: dict[str, Any], approval: dict[str, str] | None) -> tuple[bool, str]:
    """Whether it may be packaged, and why. An approval names one verdict by its hash and never carries over."""
    found = verdict["verdict"]
    if found == "PASS":
        return True, "the gate said PASS."
    if approval is None:
        return False, f"the gate said {found}. {' '.join(verdict.get('reasons', []))}".rstrip()
    if approval.get("hash") != verdict["hash"]:
        return False, f"the gate said {found}, and the approval by {approval['who']} is of another verdict."
    if found == "FAIL" and approval.get("what") != "force":
        return False, f"the gate said FAIL, which {approval['who']} approved and did not force."
    word = "forced" if found == "FAIL" else "approved"
    return True, f"the gate said {found}; {approval['who']} {word} it: {approval['why']}"


def _packaged(context: Context, verdict: dict[str, Any]) -> Packaged:
    manifest = read_manifest(context.path("export"))
    return Packaged(
        pipeline=context.pipeline,
        description=context.inputs.params["description"] or "",
        task=manifest.task,
        export=manifest.digest,
        limits=context.settings(ServiceSettings),
        filled=manifest.filled,
        verdict=verdict,
        data={"test": sha256(context.path("validate", "test.parquet"))},
    )


def _smoke(context: Context, bento: Path) -> tuple[int, float]:
    """Ask the Bento held-out rows over HTTP: how many, and the largest difference from the evaluated scores."""
    limits = context.settings(ServiceSettings)
    rows = _held_out(context, context.settings(PackageSettings).smoke_rows, limits.max_characters)
    with running(bento) as server:
        precision: Precision = server.get("/v1/model")["precision"]
        served = _ask(server, context, rows, min(ROWS_PER_REQUEST, limits.max_records))
    context.progress.say(f"asked {len(rows)} held-out rows over HTTP, in {precision}")
    return len(rows), _largest_difference(context, rows, served, precision)


def _largest_difference(context: Context, rows: pa.Table, served: list[dict[str, Any]], precision: Precision) -> float:
    """Of any score, from the evaluated answers. Raises RefusedError where it is no longer the same answer."""
    answering = answering_of(context.task)
    evaluated = answers_of(context.path("evaluate", "answers.parquet"), precision, rows["id"].to_pylist())
    fitted = read_fitted(context.path("export"), precision)
    expected = said(answering, evaluated, read_manifest(context.path("export")).labels, fitted, True)
    tolerance = TOLERANCE[precision]
    near = [answering.margins(evaluated), *_from_sure(answering.confidence(evaluated), fitted)]
    ties = (np.min(near, axis=0) < 2 * tolerance).tolist()
    distances = [
        distance(found, wanted, near_tie=tie) for found, wanted, tie in zip(served, expected, ties, strict=True)
    ]
    far = [row for row, apart in enumerate(distances) if not apart <= tolerance]
    if far:
        raise RefusedError(
            f"The service answers {len(far)} of {len(rows)} held-out rows otherwise than evaluate did "
            f"(in {precision}), first row {rows['id'][far[0]].as_py()}.",
            "Run export and what follows again (`tunegate run --force export`); if it stays, this is a bug.",
        )
    return float(f"{max(distances, default=0.0):.1e}")  # two digits: more would be noise in a file that is compared


def _from_sure(confidence: NDArray[np.float64], fitted: Fitted) -> list[NDArray[np.float64]]:
    """How far each answer is from being called sure, or no longer, where that is asked for."""
    threshold = fitted.get(SURE_ABOVE)
    return [] if threshold is None else [np.abs(confidence - threshold)]


def _held_out(context: Context, wanted: int, max_characters: int) -> pa.Table:
    """Rows spread over the test split, of those that fit the service's limits."""
    rows = read_table(context.path("validate", "test.parquet"))
    texts = texts_of(rows, record_of(context.task).PAYLOAD)
    longest = np.max([[len(text or "") for text in column.to_pylist()] for column in texts], axis=0)
    fitting = np.flatnonzero(longest <= max_characters)
    chosen = fitting[np.linspace(0, len(fitting) - 1, min(wanted, len(fitting))).astype(np.int64)]
    return rows.take(pa.array(chosen))


def _ask(server: Server, context: Context, rows: pa.Table, at_once: int) -> list[dict[str, Any]]:
    texts = question_columns(record_of(context.task).PAYLOAD)
    records = [
        {name: value for name, value in row.items() if value is not None} for row in rows.select(texts).to_pylist()
    ]
    answers: list[dict[str, Any]] = []
    for start in range(0, len(records), at_once):
        body = {"records": records[start : start + at_once], "scores": True}
        answers += server.post("/v1/predict", body)["answers"]
        context.progress.advance("rows asked over HTTP", len(answers), len(records))
    return answers


def distance(found: Any, wanted: Any, *, near_tie: bool) -> float:
    """The largest difference of any number; infinite where anything else differs, but for decisions at a near tie."""
    if isinstance(wanted, dict):
        if not isinstance(found, dict) or found.keys() != wanted.keys():
            return inf
        return max((distance(found[key], wanted[key], near_tie=near_tie) for key in wanted), default=0.0)
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            return inf
        return max((distance(*pair, near_tie=near_tie) for pair in zip(found, wanted, strict=True)), default=0.0)
    if isinstance(wanted, float):
        return abs(found - wanted) if isinstance(found, float | int) else inf
    return 0.0 if found == wanted or near_tie else inf
