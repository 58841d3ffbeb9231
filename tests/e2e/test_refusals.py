"""The gate can refuse, through the real stages."""

import csv
import random
from pathlib import Path

import pytest

from tests.e2e.project import Project


def test_shuffled_labels_end_in_fail_exit_status_3_and_no_bento(project: Project) -> None:
    _shuffle_labels(project.root / "data/raw/demo/rows.csv")
    project.edit("params.yaml", "gate: {floor: 0.8, baselines: [majority], ", "gate: {")
    project.edit("params.yaml", "epochs: 8", "epochs: 2")
    summary = project.json("run", "demo", status=3)
    assert summary["verdict"] == "FAIL" and summary["bento"] is None
    assert project.report("package")["packaged"] is False
    assert not (project.root / "data/demo/package/bento").exists()


@pytest.mark.slow
def test_30_test_rows_end_in_undecided_exit_status_4(project: Project) -> None:
    _keep_test_rows(project.root / "data/raw/demo/rows.csv", 30)
    project.edit("params.yaml", "split:", 'ingest: {columns: {split: part}, files: {"*.csv": auto}}\n    split:')
    project.edit("params.yaml", "floor: 0.8", "floor: 0.95")
    summary = project.json("run", "demo", status=4)
    assert summary["verdict"] == "UNDECIDED"
    undecided = [check for check in project.report("gate")["checks"] if check["verdict"] == "UNDECIDED"]
    assert undecided and all("row" in check["remedy"] for check in undecided)


@pytest.mark.slow
def test_an_unchanged_run_keeps_the_standing_verdicts_status(project: Project) -> None:
    _shuffle_labels(project.root / "data/raw/demo/rows.csv")
    project.edit("params.yaml", "epochs: 8", "epochs: 1")
    project.run("run", "demo", status=3)
    assert "unchanged" in project.run("run", "demo", status=3).stdout.lower()


def test_refused_data_is_told_once_with_the_place_of_its_report(project: Project) -> None:
    path = project.root / "data/raw/demo/rows.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    _write(path, [{**row, "text": "" if number % 2 else row["text"]} for number, row in enumerate(rows)])
    done = project.run("run", "demo", status=3)
    told = done.stdout + done.stderr
    assert told.count("[QUARANTINE_SHARE]") == 1
    assert "reports/demo/validate.md" in told


def _shuffle_labels(path: Path) -> None:
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    labels = [row["label"] for row in rows]
    random.Random(3).shuffle(labels)
    _write(path, [{**row, "label": label} for row, label in zip(rows, labels, strict=True)])


def _keep_test_rows(path: Path, count: int) -> None:
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    parts = ["test"] * count + ["validation"] * 60 + ["train"] * (len(rows) - count - 60)
    _write(path, [{**row, "part": part} for row, part in zip(rows, parts, strict=True)])


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
