"""Champion and best version through the real stages: fetched by hash, asked the candidate's rows, judged."""

import shutil
from collections.abc import Mapping
from typing import Any

import pytest

from tests.trained import PIPELINE, Trained
from tunegate.evaluation.answers import answers_of
from tunegate.evaluation.findings import Findings, VersionFound
from tunegate.exported import read_manifest, write_manifest
from tunegate.inputs import BaseModelIdentity, Reference, read_inputs
from tunegate.predictor import Predictor
from tunegate.records import read_table, write_table

HASH, ROWS = "0123.dir", "4567.dir"
NEAR = 1  # of the 48 test rows nearly equals a row that the model has learnt from


def refer(trained: Trained, **references: Reference) -> None:
    path = trained.workspace.inputs(PIPELINE)
    read_inputs(path).model_copy(update=references).write(path)


def champion(trained: Trained, *, learnt: bool = True, **changes: Any) -> None:
    """The exported model as the version in production; `changes` are made to its manifest."""
    folder = trained.workspace.state / "references" / HASH
    shutil.copytree(trained.export, folder)
    if changes:
        manifest = read_manifest(folder).model_copy(update={"files": {}, **changes})
        (folder / "manifest.json").unlink()
        write_manifest(folder, manifest)
    if learnt:
        rows = trained.workspace.state / "references" / ROWS
        rows.mkdir()
        for name in ("train.parquet", "validation.parquet"):
            shutil.copy(trained.stage("validate") / name, rows)
    refer(trained, champion=Reference(hash=HASH, version="v1.0.0", run="abc", validated=ROWS if learnt else None))


def other_export(trained: Trained) -> None:
    """The candidate becomes other files than the champion's, with the same answers."""
    manifest = read_manifest(trained.export)
    (trained.export / "manifest.json").unlink()
    write_manifest(trained.export, manifest.model_copy(update={"base_model": BaseModelIdentity(name="another")}))


def evaluated(trained: Trained) -> VersionFound:
    trained.run("evaluate")
    text = trained.workspace.report(PIPELINE, "evaluate").read_text(encoding="utf-8")
    return Findings.model_validate_json(text).versions[0]


def checks(trained: Trained) -> Mapping[str, Any]:
    return {check.name: check for check in trained.run("gate").checks}


def test_the_champion_is_asked_the_candidates_own_rows_through_the_same_predictor(trained: Trained) -> None:
    champion(trained)
    other_export(trained)
    found = evaluated(trained)
    assert (found.rows, found.left_out.total, found.identical) == (48 - NEAR, NEAR, False)
    ids = read_table(trained.stage("validate") / "test.parquet")["id"].to_pylist()
    path = trained.stage("evaluate") / "answers.parquet"
    assert found.precision is not None
    ours, theirs = (answers_of(path, name, ids) for name in (found.precision, "champion"))
    assert ours["label"].to_pylist() == theirs["label"].to_pylist()
    rows = read_table(trained.stage("evaluate") / "rows.parquet")
    assert rows["id"].to_pylist() == ids and "champion_trained_on" in rows.column_names
    check = checks(trained)["no regression"]
    assert check.verdict == "UNDECIDED" and check.more_rows > 1000  # no row tells the two apart
    page = (trained.stage("evaluate") / "report.html").read_text(encoding="utf-8")
    assert "beside the champion v1.0.0" in page
    assert "The champion v1.0.0: accuracy" in trained.workspace.report(PIPELINE, "evaluate", ".md").read_text()


def test_a_candidate_that_is_the_champion_passes_and_best_is_not_asked_twice(trained: Trained) -> None:
    champion(trained)
    refer(trained, best=Reference(hash=HASH, version="v1.0.0"))
    assert evaluated(trained).identical
    report = trained.run("gate")
    assert next(check for check in report.checks if check.name == "no regression").verdict == "PASS"
    names = read_table(trained.stage("evaluate") / "answers.parquet").column_names
    assert "champion.label" in names and "best.label" not in names
    assert [one.same_as for one in report.compared_with] == [None, "champion"] and report.improved_on_best is False


def test_test_rows_that_the_champion_has_learnt_from_are_left_out(trained: Trained) -> None:
    champion(trained)
    other_export(trained)
    learnt = read_table(trained.stage("validate") / "test.parquet").slice(0, 20)
    write_table(learnt, trained.workspace.state / "references" / ROWS / "train.parquet")
    found = evaluated(trained)
    assert (found.rows, found.left_out.trained_on_by_id) == (28 - NEAR, 20)
    assert f"{20 + NEAR} that one of the two has learnt from" in checks(trained)["no regression"].reason


def test_a_champion_whose_training_rows_nobody_knows_is_compared_on_all_rows_with_a_note(trained: Trained) -> None:
    champion(trained, learnt=False)
    other_export(trained)
    assert evaluated(trained).rows == 48 - NEAR
    notes = [note.reason for note in trained.run("gate").notes if note.name == "no regression"]
    assert any("what it learnt from is not known" in note for note in notes)


def test_lost_files_of_the_champion_leave_the_comparison_to_a_person(trained: Trained) -> None:
    champion(trained)
    shutil.rmtree(trained.workspace.state / "references" / HASH)
    assert "are gone" in evaluated(trained).problem
    check = checks(trained)["no regression"]
    assert check.verdict == "UNDECIDED" and "tunegate pull" in check.remedy


def test_a_changed_file_of_the_champion_is_noticed(trained: Trained) -> None:
    champion(trained)
    (trained.workspace.state / "references" / HASH / "fitted.json").write_text("{}")
    assert "cannot be asked" in evaluated(trained).problem
    assert checks(trained)["no regression"].verdict == "UNDECIDED"


def test_a_champion_of_another_task_is_not_compared_and_the_reason_is_said(trained: Trained) -> None:
    champion(trained, task="token_classification")
    found = evaluated(trained)
    assert "another task" in found.problem and not found.comparisons
    assert checks(trained)["no regression"].verdict == "UNDECIDED"


def test_the_verdict_is_bound_to_the_champion_it_was_made_against(trained: Trained) -> None:
    trained.run("evaluate")
    before = trained.run("gate").hash
    champion(trained)
    trained.run("evaluate")
    assert trained.run("gate").hash != before


def test_another_margin_reruns_nothing_but_the_gate(trained: Trained) -> None:
    champion(trained)
    other_export(trained)
    evaluated(trained)
    path = trained.workspace.inputs(PIPELINE)
    inputs = read_inputs(path)
    params = {**inputs.params, "gate": {"margin": 0.2, "slices": ["label"], "max_calibration_error": None}}
    inputs.model_copy(update={"params": params}).write(path)
    report = trained.run("gate")
    assert {check.name: check.verdict for check in report.checks}["no regression"] == "PASS"
    assert {part.name for part in report.slices} == {"label=food", "label=weather"}
    assert f"Compared with the champion v1.0.0 on {48 - NEAR} test rows" in report.markdown()


@pytest.mark.parametrize(("wanted", "some"), [(0.6, True), (0.99, False)])
def test_answers_say_whether_they_are_sure_where_a_precision_is_wanted(
    trained: Trained, wanted: float, some: bool
) -> None:
    trained.settings(export={"sure_precision": wanted})
    trained.run("export")
    sure = trained.run("evaluate").sure
    assert sure.wanted == wanted and (sure.rows > 0) == some and (sure.threshold is not None) == some
    [answer] = Predictor.open(trained.export).responses([{"text": "rain and a storm"}])
    assert answer["sure"] is (some and answer["confidence"] >= sure.threshold)
    assert "called sure" in trained.workspace.report(PIPELINE, "evaluate", ".md").read_text().lower()
