"""Every run that did work stays on record, whatever became of it; the champion is looked up only when it matters."""

import json

from tests.flows.conftest import command
from tests.flows.test_run import NOWHERE, REFUSE, run
from tests.projects import dvc, git
from tests.versions.history import ANNA, commit, event, introduce
from tunegate.versions.registry import assign, register
from tunegate.versions.runs import read_runs


def test_runs_that_did_work_are_kept_and_others_are_not(finished, server):
    root = finished.root
    introduce(root, "Anna")
    head = commit(root, "Start")
    assert "nothing was redone" in run(finished, url=NOWHERE) and read_runs(finished) == []

    (root / "train.sh").write_text(REFUSE % 3)
    finished.params.write_text(finished.params.read_text().replace("m}", "m, train: {epochs: 9}}"))
    status = git(root, "status", "--porcelain")
    refused = json.loads(run(finished, "--json", url=server, status=3))
    assert git(root, "rev-parse", "HEAD").strip() == head
    assert set(status.splitlines()) <= set(git(root, "status", "--porcelain").splitlines())
    (kept,) = read_runs(finished)
    assert (kept.name, kept.baseline, kept.ended.status) == (refused["run"], head, "refused")
    assert kept.ended.verdict is None and kept.ended.problem == "Too few rows."
    assert [(stage.name, stage.state) for stage in kept.ended.stages][2:] == [
        ("train", "failed"),
        ("gate", "not reached"),
    ]
    assert refused["commit"] == kept.commit
    assert "echo '{" in git(root, "show", f"{kept.commit}:train.sh")  # uncommitted, and on record

    (root / "train.sh").write_text("echo other; cp $1 $2/model.txt\n")
    (root / "fixed/gate.json").write_text(json.dumps({"verdict": "UNDECIDED", "hash": "f" * 64, "checks": []}))
    out = run(finished, url=server, status=4)
    newest = read_runs(finished)[0]
    assert (newest.ended.verdict, newest.ended.verdict_hash) == ("UNDECIDED", "f" * 64)
    assert f"tunegate versions approve {newest.name}" in out
    shown = json.loads(dvc(root, "exp", "show", "--json"))
    (base,) = [entry for entry in shown if entry["rev"] == head]
    assert {each["name"] for each in base["experiments"]} == {kept.name, newest.name}


def test_a_stray_file_stops_a_run_before_its_first_stage(finished):
    introduce(finished.root, "Anna")
    commit(finished.root, "Start")
    with (finished.root / "notes.bin").open("wb") as file:
        file.truncate(25_000_000)
    process = command(finished.root, "run", "one", "--force", "gate", url=NOWHERE)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2 and "notes.bin (25 MB)" in err


def test_a_promotion_makes_nothing_stale_and_is_seen_by_the_next_scoring(finished):
    introduce(finished.root, "Anna")
    commit(finished.root, "Start")
    version = register(finished, event(finished, pipeline="one", export="1" * 32 + ".dir"))
    assign(finished, version, "production", who=ANNA, why="first")
    assert "nothing was redone" in run(finished, url=NOWHERE)
    assert json.loads(finished.inputs("one").read_text())["champion"] is None
    for force, seen in (("gate", None), ("train", "v1.0.0")):
        process = command(finished.root, "run", "one", "--force", force, url=NOWHERE)  # which ends at Prefect
        out, _ = process.communicate(timeout=120)
        assert process.returncode != 0
        champion = json.loads(finished.inputs("one").read_text())["champion"]
        assert (champion and champion["version"]) == seen
    assert "The model is not compared with v1.0.0. The files with the hash 111" in out
