"""Exit statuses and the summary, from reports on disk."""

import json
import shlex

import pytest

from flows.result import Failure, Result, StageResult, exit_status, worst
from flows.summary import summarise
from tunegate.errors import ExitStatus, OutsideError, RefusedError
from tunegate.tasks import TASKS, record_of
from tunegate.workspace import Workspace

REPORTS = {
    "validate": {"rows": 1890, "quarantined": 7, "kept": {"train": 1500, "test": 383}, "reasons": []},
    "evaluate": {
        "primary": {"name": "accuracy", "value": 0.91, "low": 0.88, "high": 0.93, "n": 383},
        "baseline": {"name": "tfidf", "value": 0.8, "low": 0.76, "high": 0.84, "n": 383},
    },
    "gate": {
        "verdict": "PASS",
        "checks": [{"name": "floor", "verdict": "PASS", "reason": "accuracy is above 0.7"}],
    },
    "package": {"packaged": True, "tag": "tunegate-support:abc", "why": "it passed"},
}


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path)
    for stage, report in REPORTS.items():
        write(workspace, stage, report)
    return workspace


def write(workspace, stage, report):
    path = workspace.report("support", stage)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report))


def result(*states, **options):
    stages = zip(REPORTS, states, strict=True)
    return Result("support", tuple(StageResult(name, "support", state, 65.0) for name, state in stages), **options)


UNCHANGED = ("unchanged",) * 4


def test_a_packaged_pass_ends_with_status_0(workspace):
    assert exit_status(workspace, result(*UNCHANGED)) == ExitStatus.PASSED


@pytest.mark.parametrize(("verdict", "status"), [("FAIL", 3), ("UNDECIDED", 4)])
def test_the_standing_verdict_decides_unless_a_person_let_it_be_packaged(workspace, verdict, status):
    write(workspace, "gate", {"verdict": verdict, "checks": []})
    assert exit_status(workspace, result(*UNCHANGED)) == ExitStatus.PASSED
    write(workspace, "package", {"packaged": False, "tag": None, "why": "the gate said no"})
    assert exit_status(workspace, result(*UNCHANGED)) == status


def test_a_failure_decides_over_an_older_verdict(workspace):
    failed = result("ran", "failed", "not reached", "not reached", failure=Failure.of(RefusedError("Bad.", "Mend it.")))
    summary = summarise(workspace, failed)
    assert summary.status == ExitStatus.REFUSED
    assert (summary.verdict, summary.bento) == (None, None)
    assert "Bad." in summary.text() and "accuracy" not in summary.text()


def test_each_kind_of_failure_has_its_status():
    assert Failure.of(OutsideError("a", "b")).status == 75
    assert Failure.of(KeyboardInterrupt()).status == 130
    assert Failure.of(RuntimeError("x")).status == 1


def test_of_several_pipelines_the_worst_status_counts():
    assert worst([ExitStatus.PASSED, ExitStatus.UNDECIDED, ExitStatus.REFUSED]) == 3
    assert worst([ExitStatus.REFUSED, ExitStatus.BUG, ExitStatus.MISTAKE]) == 1
    assert worst([]) == 0


def test_the_summary_tells_a_person_what_came_out_and_what_comes_next(workspace):
    text = summarise(workspace, result("ran", "unchanged", "restored", "ran")).text()
    for part in (
        "1,890 read: 1,500 train, 383 test",
        "7 quarantined in data/support/validate/quarantine.parquet",
        "ran         1 min 05 s",
        "accuracy 0.910 [0.880, 0.930] on 383 test rows",
        "tfidf 0.800 [0.760, 0.840]",
        "PASS      floor: accuracy is above 0.7",
        "tunegate-support:abc",
        "tunegate serve support",
        "tunegate predict support",
        "git add params.yaml dvc.lock data reports",
    ):
        assert part in text, part


@pytest.mark.parametrize("verdict", ["FAIL", "UNDECIDED"])
def test_what_did_not_pass_says_what_to_do_and_where_more_is_said(workspace, verdict):
    checks = [
        {"name": "floor", "verdict": verdict, "reason": "accuracy is below 0.7", "remedy": "Label more rows."},
        {"name": "data", "verdict": "PASS", "reason": "none leaks", "remedy": ""},
    ]
    write(workspace, "gate", {"verdict": verdict, "checks": checks})
    write(workspace, "package", {"packaged": False, "tag": None, "why": "the gate said no"})
    lines = summarise(workspace, result(*UNCHANGED)).text().splitlines()
    at = next(number for number, line in enumerate(lines) if "floor" in line)
    assert lines[at + 1].strip() == "-> Label more rows."
    assert any(line.strip() == "the whole verdict: reports/support/gate.md" for line in lines)


def test_a_refusal_of_the_data_is_said_once_with_the_place_of_its_report(workspace):
    reason = "[TEXT_EMPTY] 9 of 10 rows: the text is empty."
    write(workspace, "validate", {**REPORTS["validate"], "reasons": [reason]})
    error = RefusedError(f"validate refused the data of support:\n  {reason}", "Correct the rows.")
    failed = result("ran", "failed", "not reached", "not reached", failure=Failure.of(error))
    text = summarise(workspace, failed).text()
    assert text.count(reason) == 1 and text.count("reports/support/validate.md") == 1


@pytest.mark.parametrize("states", [("failed", *["not reached"] * 3), ("not reached",) * 4])
def test_rows_and_scores_of_an_earlier_run_are_not_shown_as_of_this_one(workspace, states):
    failed = result(*states, failure=Failure.of(OutsideError("No disk.", "Free some.")))
    text = summarise(workspace, failed).text()
    assert "No disk." in text and "1,890" not in text and "accuracy" not in text


def test_a_run_that_redid_nothing_says_so_and_asks_for_no_commit(workspace):
    text = summarise(workspace, result(*UNCHANGED)).text()
    assert "nothing was redone" in text and "git add" not in text


def test_a_refused_model_has_no_bento_and_says_why(workspace):
    write(workspace, "gate", {"verdict": "FAIL", "checks": []})
    write(workspace, "package", {"packaged": False, "tag": None, "why": "the gate said no"})
    text = summarise(workspace, result(*UNCHANGED)).text()
    assert "none: the gate said no" in text and "serve" not in text


def test_a_dry_run_says_for_how_long_by_past_runs(workspace):
    stages = [StageResult("ingest", "support", "unchanged"), StageResult("train", "support", "stale", 120.0, ("why",))]
    text = summarise(workspace, Result("support", tuple(stages), planned=True)).text()
    assert "1 of 2 stages would run, about 2 min 00 s by past runs\n" in text
    assert "train      would run, 2 min 00 s (why)" in text
    new = [*stages, StageResult("export", "support", "stale")]
    assert (
        "by past runs and 1 that never ran" in summarise(workspace, Result("support", tuple(new), planned=True)).text()
    )


def test_many_passing_tests_of_one_kind_are_one_line_and_the_others_stay(workspace):
    checks = [{"name": f"behaviour:{n}", "verdict": "PASS", "reason": f"reason {n}"} for n in range(9)]
    checks[3] = {"name": "behaviour:3", "verdict": "FAIL", "reason": "too many fail", "remedy": "Look at them."}
    write(workspace, "gate", {"verdict": "FAIL", "checks": checks})
    text = summarise(workspace, result(*UNCHANGED)).text()
    assert "behaviour: 8 tests pass" in text and "reason 1" not in text
    assert "behaviour:3: too many fail" in text and "Look at them." in text


@pytest.mark.parametrize("task", TASKS)
def test_the_question_that_a_summary_proposes_is_one_of_the_task(workspace, task):
    write(workspace, "evaluate", {**REPORTS["evaluate"], "task": task})
    text = summarise(workspace, result("ran", *UNCHANGED[1:])).text()
    [line] = [line for line in text.splitlines() if line.startswith("ask ")]
    command = shlex.split(line)[1:]
    assert command[:3] == ["tunegate", "predict", "support"]
    record_of(task).Record.model_validate({"text": "..."} if command[3] == "--text" else json.loads(command[4]))
