"""The gate as a stage: its verdict is bound to what decided it, and it never stops half way without a sentence."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.trained import PIPELINE, Trained, make_trained
from tunegate.errors import UserError
from tunegate.records import read_table


def edit(trained: Trained, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    path = trained.workspace.report(PIPELINE, name)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_package_reads_the_verdict_and_its_reasons(judged: Trained) -> None:
    verdict = json.loads((judged.stage("gate") / "verdict.json").read_text())
    report = json.loads(judged.workspace.report(PIPELINE, "gate").read_text())
    assert verdict["verdict"] == report["verdict"] == "UNDECIDED"  # TF-IDF makes no mistake on these rows
    assert verdict["hash"] == report["hash"] and len(verdict["hash"]) == 64
    assert [reason.partition(": ")[0] for reason in verdict["reasons"]] == ["baseline:tfidf"]
    assert {check["name"]: check["verdict"] for check in report["checks"]} == verdict["checks"]


def test_other_times_within_the_budget_are_the_same_verdict(trained: Trained) -> None:
    trained.settings(gate={"max_latency_ms": 10_000})
    first = trained.run("gate").hash
    before = (trained.stage("gate") / "verdict.json").read_bytes()
    edit(trained, "latency", lambda content: content["times"]["fp32"][-1].update(p50_ms=7.7, p99_ms=8.8))
    assert trained.run("gate").hash == first
    assert (trained.stage("gate") / "verdict.json").read_bytes() == before


@pytest.mark.parametrize("settings", [{"floor": 0.5}, {"baseline_margin": 0.01}, {"max_calibration_error": None}])
def test_another_setting_is_another_verdict(trained: Trained, settings: dict[str, Any]) -> None:
    before = trained.run("gate").hash
    trained.settings(gate=settings)
    assert trained.run("gate").hash != before


def test_a_corrected_label_is_another_verdict(trained: Trained) -> None:
    before = trained.run("gate").hash
    rows = read_table(trained.stage("validate") / "test.parquet").select(["text", "label"]).to_pylist()
    trained.rows("test", [{**rows[0], "label": {"food": "weather", "weather": "food"}[rows[0]["label"]]}, *rows[1:]])
    trained.run("evaluate")
    assert trained.run("gate").hash != before


def test_shuffled_training_labels_end_in_fail(tmp_path: Any) -> None:
    """Through the real stages: model and baselines are trained on the same shuffled labels, and no floor is set."""
    trained = make_trained(tmp_path, shuffled=True)
    for stage in ("export", "evaluate"):
        trained.run(stage)
    assert trained.run("gate").verdict == "FAIL"


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("evaluate", lambda c: c.pop("primary"), r"evaluate\.json: primary: Field required"),
        ("evaluate", lambda c: c["models"]["fp32"]["metrics"].pop("accuracy"), "fp32 has no metric accuracy"),
        ("evaluate", lambda c: c["primary"].update(name="f2"), "has no metric f2"),
        ("evaluate", lambda c: c["primary"].update(value="high"), r"primary\.value: Input should be a valid number"),
        ("evaluate", lambda c: c["primary"].update(value=float("nan")), "finite number"),
        ("evaluate", lambda c: c["comparisons"].pop(), "not every candidate is compared"),
        ("evaluate", lambda c: c.update(answers="0" * 64), "not those that evaluate.json was made from"),
        ("evaluate", lambda c: c.update(surprise=1), "surprise"),
        ("latency", lambda c: c.pop("times"), r"latency\.json: times: Field required"),
    ],
)
def test_missing_and_wrong_numbers_are_an_error_that_names_them(
    trained: Trained, name: str, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    edit(trained, name, change)
    with pytest.raises(UserError, match=said):
        trained.run("gate")


@pytest.mark.parametrize("name", ["evaluate", "latency"])
def test_a_missing_file_is_named(trained: Trained, name: str) -> None:
    trained.workspace.report(PIPELINE, name).unlink()
    with pytest.raises(UserError, match=rf"{name}\.json is missing"):
        trained.run("gate")


def test_a_latency_budget_without_times_is_an_error(trained: Trained) -> None:
    edit(trained, "latency", lambda content: content["times"].pop("fp32"))
    trained.settings(gate={"max_latency_ms": 50})
    with pytest.raises(UserError, match="holds no times for fp32"):
        trained.run("gate")


def test_the_report_reads_well(trained: Trained) -> None:
    text = trained.run("gate").markdown()
    assert text.startswith("**UNDECIDED**") and "What to do:" in text and "| data | PASS |" in text
