"""Evaluate: what is served is what is scored, and everything but times can be reproduced."""

import json

import pytest

from tests.trained import PIPELINE, Trained, make_records
from tunegate.errors import UserError
from tunegate.evaluation.answers import answers_of
from tunegate.evaluation.findings import Findings, Latency
from tunegate.exported import read_manifest, sha256
from tunegate.predictor import Predictor
from tunegate.records import read_table, write_table


def report(trained: Trained) -> Findings:
    text = trained.workspace.report(PIPELINE, "evaluate").read_text(encoding="utf-8")
    return Findings.model_validate_json(text)


def test_the_report_says_what_other_programs_read(judged: Trained) -> None:
    content = json.loads(judged.workspace.report(PIPELINE, "evaluate").read_text())
    for part in ("primary", "baseline"):
        assert content[part]["low"] <= content[part]["value"] <= content[part]["high"]
        assert content[part]["name"] == "accuracy" and content[part]["n"] == 48
    assert set(content["models"]["fp32"]["metrics"]) == {"accuracy", "macro_f1", "micro_f1"}


def test_the_answers_on_file_are_the_predictors(judged: Trained) -> None:
    rows = read_table(judged.stage("validate") / "test.parquet")
    for precision in read_manifest(judged.export).precisions:
        filed = answers_of(judged.stage("evaluate") / "answers.parquet", precision, rows["id"].to_pylist())
        served = Predictor.open(judged.export, precision).answers(rows)
        assert filed["label"].to_pylist() == served["label"].to_pylist()
        assert filed["confidence"].to_pylist() == pytest.approx(served["confidence"].to_pylist(), abs=2e-3)


def test_every_shipped_precision_and_baseline_is_scored_and_compared(judged: Trained) -> None:
    found = report(judged)
    assert set(found.candidates) == set(read_manifest(judged.export).precisions)
    assert set(found.baselines) == {"majority", "tfidf"}
    assert len(found.comparisons) == len(found.candidates) * 2


def test_what_is_scored_twice_is_the_same_bytes(trained: Trained) -> None:
    files = [trained.stage("evaluate") / name for name in ("answers.parquet", "counts.parquet", "report.html")]
    files.append(trained.workspace.report(PIPELINE, "evaluate"))
    before = [sha256(file) for file in files]
    trained.run("evaluate")
    assert [sha256(file) for file in files] == before


def test_measured_times_stand_in_a_file_of_their_own(judged: Trained) -> None:
    latency = Latency.model_validate_json(judged.workspace.report(PIPELINE, "latency").read_text())
    assert set(latency.times) == set(read_manifest(judged.export).precisions)
    for times in latency.times.values():
        assert [time.tokens for time in times] == [8, 16]
        assert all(0 < time.p50_ms <= time.p99_ms for time in times)
    assert "_ms" not in judged.workspace.report(PIPELINE, "evaluate").read_text()


def test_the_page_and_plots_can_be_opened(judged: Trained) -> None:
    folder = judged.stage("evaluate")
    assert "<svg" in (folder / "report.html").read_text(encoding="utf-8")
    assert len(judged.workspace.plot(PIPELINE, "confusion").read_text().splitlines()) == 49
    assert judged.workspace.plot(PIPELINE, "reliability").read_text().startswith("confidence,accuracy,rows\n")


def test_a_test_row_that_training_holds_is_counted(trained: Trained) -> None:
    rows = read_table(trained.stage("validate") / "train.parquet").select(["text", "label"]).slice(0, 5).to_pylist()
    trained.rows("test", rows)
    assert trained.run("evaluate").seen_in_training == 5


def test_another_test_row_is_another_fingerprint_and_the_same_export(trained: Trained) -> None:
    before = report(trained)
    rows = read_table(trained.stage("validate") / "test.parquet").select(["text", "label"]).to_pylist()
    trained.rows("test", [{"text": "hail", "label": "weather"}, *rows[1:]])
    after = trained.run("evaluate")
    assert after.fingerprint != before.fingerprint and after.export == before.export


def test_no_test_rows_are_an_error(trained: Trained) -> None:
    write_table(make_records([], "test"), trained.stage("validate") / "test.parquet")
    with pytest.raises(UserError, match="no test rows"):
        trained.run("evaluate")


def test_training_rows_of_one_label_leave_the_majority_as_the_only_baseline(trained: Trained) -> None:
    trained.rows("train", [{"text": "rain again", "label": "weather"}, {"text": "wind", "label": "weather"}])
    assert set(trained.run("evaluate").baselines) == {"majority"}


def test_a_precision_that_cannot_be_judged_here_is_an_error(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    if "bf16" not in read_manifest(trained.export).precisions:
        return  # exported on a machine without it: nothing that could not be judged
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    with pytest.raises(UserError, match="ships in bf16, which cannot be judged on this machine"):
        trained.run("evaluate")
