"""`tunegate run` from end to end, against a real Prefect server."""

import json
import os
import signal
import subprocess
import sys
import time
from urllib.request import Request, urlopen

import psutil
import pytest

from flows.locks import locked
from tests.flows.conftest import command
from tests.flows.project import TRAIN, make_project

NOWHERE = "http://127.0.0.1:9/api"  # no server: a run that needs one fails
REFUSE = """echo '{"status": %d, "problem": "Too few rows.", "remedy": "Add some."}' > $TUNEGATE_FAILURE; exit 1"""


def run(workspace, *arguments, url, status=0):
    process = command(workspace.root, "run", "one", *arguments, url=url)
    out, err = process.communicate(timeout=240)
    assert process.returncode == status, out + err
    assert "Traceback" not in out + err
    return out


def states(workspace, *arguments, url, status=0):
    answer = json.loads(run(workspace, "--json", *arguments, url=url, status=status))
    return {stage["name"]: stage["state"] for stage in answer["stages"]}


def ask(server, what, **filters):
    request = Request(f"{server}/{what}/filter", json.dumps(filters).encode(), {"content-type": "application/json"})
    with urlopen(request) as response:
        return json.load(response)


def task_states(server, run_name):
    (flow_run,) = ask(server, "flow_runs", flow_runs={"name": {"any_": [run_name]}})
    runs = ask(server, "task_runs", flow_runs={"id": {"any_": [flow_run["id"]]}})
    return flow_run["state_name"], {task["name"]: task["state_name"] for task in runs}


def test_a_run_stands_in_prefect_with_its_stages_logs_and_reports(tmp_path, server):
    workspace = make_project(tmp_path)
    name = json.loads(run(workspace, "--json", url=server))["run"]
    assert task_states(server, name) == (
        "Completed",
        {"ingest": "Completed", "validate": "Completed", "train": "Completed", "gate": "Completed"},
    )
    keys = {artifact["key"] for artifact in ask(server, "artifacts", limit=200)}
    assert {"one-train", "one-gate", "one-summary"} <= keys
    assert "epoch 1" in {line["message"] for line in ask(server, "logs", limit=200)}

    rows = workspace.root / "data/raw/one/rows.csv"
    rows.write_text(rows.read_text() + "test 3\n")
    name = json.loads(run(workspace, "--json", url=server))["run"]
    assert task_states(server, name)[1] == {
        "ingest": "Completed",
        "validate": "Completed",
        "train": "Unchanged",
        "gate": "Unchanged",
    }
    inputs = json.loads(workspace.inputs("one").read_text())
    assert inputs["labels"] == ["a", "b"] and inputs["previous"]["hash"].endswith(".dir")


def test_nothing_to_do_is_found_without_prefect(finished):
    code = (
        "import sys; from tunegate.cli import run_command; status = run_command(['run', 'one']);"
        "print('prefect' in sys.modules, status)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=finished.root, capture_output=True, text=True, check=True)
    assert "nothing was redone" in done.stdout
    assert done.stdout.splitlines()[-1] == "False 0"


def test_a_changed_setting_redoes_its_stage_alone_and_the_old_value_restores(finished, server):
    params = finished.params
    before = params.read_text()
    params.write_text(before.replace("m}", "m, train: {epochs: 9}}"))
    assert states(finished, url=server) == {
        "ingest": "unchanged",
        "validate": "unchanged",
        "train": "ran",
        "gate": "unchanged",
    }
    params.write_text(before + "# a comment\n")
    assert states(finished, url=server)["train"] == "restored"
    assert set(states(finished, url=NOWHERE).values()) == {"unchanged"}


def test_a_dry_run_says_what_would_run_and_why_and_changes_nothing(finished):
    finished.params.write_text(finished.params.read_text().replace("m}", "m, train: {epochs: 9}}"))
    inputs = finished.inputs("one").read_bytes()
    stages = {stage["name"]: stage for stage in json.loads(run(finished, "--dry-run", "--json", url=NOWHERE))["stages"]}
    assert stages["train"]["why"] == ["train.epochs was 3, is 9"]
    assert (stages["gate"]["state"], stages["gate"]["why"]) == ("stale", ["after train"])
    assert stages["validate"]["state"] == "unchanged"
    assert finished.inputs("one").read_bytes() == inputs


def test_several_pipelines_end_with_an_object_each(finished):
    with finished.params.open("a") as file:
        file.write("  two: {task: text_classification, data: one, model: models/m}\n")
    process = command(finished.root, "run", "--dry-run", "--json", url=NOWHERE)
    out, err = process.communicate(timeout=60)
    one, two = map(json.loads, out.splitlines())
    assert {stage["state"] for stage in one["stages"]} == {"unchanged"}, err
    assert two["pipeline"] == "two" and {stage["state"] for stage in two["stages"]} == {"stale"}
    assert not finished.inputs("two").exists()


def test_a_misspelt_stage_or_pipeline_is_a_mistake_with_a_hint(finished):
    for arguments, hint in ((("one", "--force", "trian"), '"train"'), (("on",), '"one"')):
        process = command(finished.root, "run", *arguments, url=NOWHERE)
        _, err = process.communicate(timeout=60)
        assert (process.returncode, hint in err) == (2, True), err


def test_the_exit_status_follows_the_standing_verdict_also_with_nothing_to_do(finished, server):
    verdict = finished.root / "fixed/gate.json"
    for name, status in (("FAIL", 3), ("UNDECIDED", 4)):
        verdict.write_text(json.dumps({"verdict": name, "checks": []}))
        assert states(finished, url=server, status=status)["gate"] == "ran"
        assert name in run(finished, url=NOWHERE, status=status)


def test_a_refusal_stops_the_run_and_is_said_in_words(finished, server):
    (finished.root / "train.sh").write_text(REFUSE % 3)
    finished.params.write_text(finished.params.read_text().replace("m}", "m, train: {epochs: 9}}"))
    answer = json.loads(run(finished, "--json", url=server, status=3))
    assert [stage["state"] for stage in answer["stages"]] == ["unchanged", "unchanged", "failed", "not reached"]
    assert answer["failure"] == {"problem": "Too few rows.", "remedy": "Add some."}
    assert answer["verdict"] is None
    assert task_states(server, answer["run"]) == (
        "Refused",
        {"ingest": "Unchanged", "validate": "Unchanged", "train": "Failed"},
    )


def test_what_another_pipeline_lacks_stops_only_that_one(tmp_path):
    workspace = make_project(tmp_path)
    other = "  two: {task: text_classification, data: nowhere, model: models/missing}\n"
    workspace.params.write_text(workspace.params.read_text() + other)
    assert set(states(workspace, "--dry-run", url=NOWHERE).values()) == {"stale"}
    process = command(workspace.root, "run", "two", url=NOWHERE)
    assert "data/raw/nowhere is missing" in process.communicate(timeout=60)[1] and process.returncode == 2


def test_a_failure_outside_is_tried_again_and_a_crash_is_not(finished, server):
    finished.params.write_text(finished.params.read_text().replace("m}", "m, train: {epochs: 9}}"))
    once = f"echo x >> tries; if [ $(wc -l < tries) = 1 ]; then {REFUSE % 75}; fi; {TRAIN}"
    (finished.root / "train.sh").write_text(once)
    assert "2 of 4 stages redone" in run(finished, "--force", "gate", url=server)
    (finished.root / "train.sh").write_text("echo y >> tries; exit 9")
    said = run(finished, "--force", "train", url=server, status=1)
    assert "dvc: failed" not in said  # but in Prefect's log
    assert (finished.root / "tries").read_text() == "x\nx\ny\n"


def test_what_a_killed_stage_left_half_made_is_removed_however_large(finished, server):
    left = finished.root / "data/one/.train.unfinished/model.bin"
    left.parent.mkdir()
    with left.open("wb") as file:
        file.truncate(50_000_000)
    assert "half-made files of train@one are removed" in run(finished, "--force", "gate", url=server)
    assert not left.parent.exists()


def test_a_second_run_waits_and_says_for_whom(finished):
    with locked(finished, ["one"], print):
        process = command(finished.root, "run", "one", url=NOWHERE)
        line = process.stdout.readline()
    assert f"waiting for another run of one (process {os.getpid()}" in line
    assert process.communicate(timeout=60) and process.returncode == 0


@pytest.mark.parametrize(
    ("number", "own_server"), [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGKILL, True)]
)
def test_a_run_that_is_stopped_leaves_no_process_behind(finished, server, number, own_server):
    """With a server of its own: that one ends too."""
    (finished.root / "train.sh").write_text("echo training; sleep 4714 & sleep 4714\n")
    process = command(finished.root, "run", "one", "--force", "train", url=None if own_server else server)
    while "training" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGINT: 130}.get(number, -number)
    assert number == signal.SIGKILL or "Traceback" not in err
    deadline = time.monotonic() + 20
    while left := in_folder(finished.root):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def in_folder(root):
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd().startswith(str(root)):
                found.append(process.cmdline())
        except (psutil.Error, OSError):
            continue
    return found
