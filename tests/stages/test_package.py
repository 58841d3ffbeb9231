import hashlib
import json
import shutil
from math import inf
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.service.conftest import bento, export, packaged
from tunegate.bento import read_packaged, tag_of
from tunegate.errors import RefusedError
from tunegate.evaluation.answers import side_by_side
from tunegate.inputs import Inputs
from tunegate.predictor import Predictor
from tunegate.progress import Progress
from tunegate.records import record_schema, write_table
from tunegate.stages import Context
from tunegate.stages.package import PackageReport, allowed, distance, run
from tunegate.tasks import record_of
from tunegate.workspace import Workspace, fresh_folder

__all__ = ["bento", "export", "packaged"]

ROOT = Path(__file__).parents[2]
PASS = {"verdict": "PASS", "hash": "aa", "reasons": []}
TEXTS = ("the soup needs salt", "rain tomorrow", "a storm", "x" * 600, "bread and cheese")


def held_out() -> pa.Table:
    rows = [
        {
            **{"id": f"r{number}", "split": "test", "source": "rows.csv", "source_line": number, "weight": 1.0},
            **{"origin": "raw", "text": text, "label": "food"},
        }
        for number, text in enumerate(TEXTS)
    ]
    return pa.Table.from_pylist(rows, schema=record_schema(record_of("text_classification").PAYLOAD))


@pytest.fixture
def workspace(export: Path, tmp_path: Path) -> Workspace:
    """Everything that stands before package, as the stages before it leave it."""
    workspace = Workspace(tmp_path)
    shutil.copyfile(ROOT / "bentofile.yaml", tmp_path / "bentofile.yaml")
    workspace.stage("demo", "export").parent.mkdir(parents=True)
    shutil.copytree(export, workspace.stage("demo", "export"))
    rows = held_out()
    write_table(rows, workspace.stage("demo", "validate") / "test.parquet")
    answers = Predictor.open(export, "fp32").answers(rows)
    write_answers(workspace, answers)
    return workspace


def write_answers(workspace: Workspace, answers: pa.Table) -> None:
    table = side_by_side(
        held_out(), record_of("text_classification").PAYLOAD, {"fp32": answers}, {"fp32": ["food", "weather"]}
    )
    write_table(table, workspace.stage("demo", "evaluate") / "answers.parquet")


def package(workspace: Workspace, verdict: dict[str, Any], approval: dict[str, str] | None = None) -> PackageReport:
    path = workspace.stage("demo", "gate") / "verdict.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(verdict), encoding="utf-8")
    params = {
        "task": "text_classification",
        "description": "which dish or cloud",
        "package": {"smoke_rows": 4},
        "service": {"max_characters": 500, "max_records": 3},
    }
    inputs = Inputs(pipeline="demo", params=params, approval=approval)
    with fresh_folder(workspace.stage("demo", "package")) as out:
        return run(Context(workspace, "demo", inputs, out, Progress("package")))


def test_a_pass_is_packaged_and_gives_the_evaluated_answers_over_http(workspace: Workspace) -> None:
    report = package(workspace, PASS)
    folder = workspace.stage("demo", "package")
    assert report.packaged and report.tag == tag_of(folder / "bento") and report.approved_by is None
    assert (folder / "tag.txt").read_text(encoding="utf-8") == f"{report.tag}\n"
    assert (
        report.largest_difference <= 3e-6 and report.asked_rows == 4
    )  # the fifth text is longer than the service takes
    note = read_packaged(folder / "bento/src/serving")
    content = (workspace.stage("demo", "validate") / "test.parquet").read_bytes()
    assert note.description == "which dish or cloud"
    assert "which dish or cloud" in (folder / "bento/README.md").read_text(encoding="utf-8")
    assert note.verdict == PASS and note.data == {"test": hashlib.sha256(content).hexdigest()}
    assert str(report.tag) in report.markdown()


def test_a_service_that_answers_otherwise_than_evaluate_is_refused(workspace: Workspace, export: Path) -> None:
    answers = Predictor.open(export, "fp32").answers(held_out())
    other = {"food": "weather", "weather": "food"}
    labels = [other[label] if row == 1 else label for row, label in enumerate(answers["label"].to_pylist())]
    write_answers(workspace, answers.set_column(answers.column_names.index("label"), "label", pa.array(labels)))
    with pytest.raises(RefusedError, match=r"1 of 4 .* first row r1\."):
        package(workspace, PASS)
    assert not workspace.stage("demo", "package").exists()


@pytest.mark.parametrize(
    ("verdict", "approval", "why"),
    [
        ({"verdict": "FAIL", "hash": "aa", "reasons": ["accuracy 0.2 is below 0.8."]}, None, "accuracy 0.2"),
        ({"verdict": "UNDECIDED", "hash": "aa", "reasons": []}, None, "UNDECIDED"),
        ({"verdict": "UNDECIDED", "hash": "aa"}, {"who": "ana", "why": "ok", "hash": "bb"}, "another verdict"),
        ({"verdict": "FAIL", "hash": "aa"}, {"who": "ana", "why": "ok", "hash": "aa"}, "did not force"),
    ],
)
def test_what_neither_passed_nor_was_approved_is_not_packaged(
    workspace: Workspace, verdict: dict[str, Any], approval: dict[str, str] | None, why: str
) -> None:
    report = package(workspace, verdict, approval)
    assert not report.packaged and report.tag is None and why in report.why
    assert not list(workspace.stage("demo", "package").iterdir())


def test_a_forced_fail_is_packaged_and_names_the_person_for_ever(workspace: Workspace) -> None:
    approval = {"who": "ana", "why": "known noise", "hash": "aa", "what": "force"}
    report = package(workspace, {"verdict": "FAIL", "hash": "aa", "reasons": []}, approval)
    assert report.packaged and report.approved_by == "ana" and "ana forced it: known noise" in report.why


def test_an_approval_of_this_very_verdict_lets_an_undecided_model_through() -> None:
    may, why = allowed({"verdict": "UNDECIDED", "hash": "aa"}, {"who": "ana", "why": "small set", "hash": "aa"})
    assert may and why == "the gate said UNDECIDED; ana approved it: small set"


ANSWER = {"label": "food", "confidence": 0.5, "scores": {"food": 0.5, "weather": 0.5}}


@pytest.mark.parametrize(
    ("found", "near_tie", "apart"),
    [
        (ANSWER, False, 0.0),
        ({**ANSWER, "confidence": 0.75}, True, 0.25),
        ({**ANSWER, "scores": {"food": 0.5, "weather": 0.375}}, False, 0.125),
        ({**ANSWER, "label": "weather"}, False, inf),
        ({**ANSWER, "label": "weather"}, True, 0.0),
        ({"label": "food", "confidence": 0.5}, True, inf),
        ({**ANSWER, "scores": {"food": 0.5}}, True, inf),
        ({**ANSWER, "scores": [0.5, 0.5]}, True, inf),
        ({**ANSWER, "confidence": "0.5"}, True, inf),
        (None, True, inf),
    ],
)
def test_answers_lie_apart_by_their_numbers_and_turn_over_only_at_near_ties(
    found: object, near_tie: bool, apart: float
) -> None:
    assert distance(found, ANSWER, near_tie=near_tie) == apart


def test_lists_are_compared_place_by_place() -> None:
    assert distance([{"span": [1, 2]}], [{"span": [1, 2]}], near_tie=False) == 0
    assert distance([{"span": [1, 2]}], [{"span": [1, 3]}], near_tie=False) == inf
    assert distance([1], [1, 2], near_tie=True) == inf
