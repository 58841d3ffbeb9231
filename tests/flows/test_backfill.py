"""A pipeline over past versions of its data: a row each, resumable, and the person's tree as it was."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.flows.conftest import command
from tests.flows.project import TRAIN
from tests.orchestration.faults.project import nobody_is_left, until
from tests.projects import git
from tests.versions.history import commit, introduce
from tunegate.data_versions.log import versions_between
from tunegate.dvc.tracking import track
from tunegate.errors import UserError
from tunegate.versions.runs import find_run, read_runs
from tunegate.workspace import Workspace


@pytest.fixture
def dated(finished: Workspace) -> Workspace:
    """Three versions of the data; the tree stands at the third, and has run with the first alone."""
    introduce(finished.root, "Anna")
    rows = finished.raw("one") / "rows.csv"
    for number in range(3):
        rows.write_text("train 1\ntest 2\n" + "".join(f"train 1{more}\n" for more in range(number)))
        track(finished, finished.raw("one"))
        commit(finished.root, f"Data {number}")
    return finished


def looks(workspace: Workspace) -> list[str]:
    """What a backfill must leave as it was."""
    root = workspace.root
    files = sorted(path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts)
    seen = [f"{path} {path.stat().st_mtime_ns}" for path in files if not {".dvc", ".tunegate"} & set(path.parts)]
    return [git(root, "status", "--porcelain"), git(root, "for-each-ref", "refs/heads", "refs/tags"), *seen]


def test_versions_are_found_between_two_revisions(dated: Workspace) -> None:
    found = versions_between(dated, "one", "HEAD~2", "HEAD")
    assert [each.subject for each in found] == ["Data 0", "Data 1", "Data 2"]
    assert [each.subject for each in versions_between(dated, "one", "HEAD~1", "HEAD~1")] == ["Data 1"]
    commit(dated.root, "Nothing of data")
    assert [each.subject for each in versions_between(dated, "one", "HEAD", "HEAD")] == ["Data 2"]
    for first, last, said in (("HEAD", "HEAD~2", "not among"), ("nowhere", "HEAD", "no commit")):
        with pytest.raises(UserError, match=said):
            versions_between(dated, "one", first, last)


@pytest.mark.slow
def test_a_killed_backfill_goes_on_and_ends_with_a_row_per_version(dated: Workspace, server: str) -> None:
    """The second version's training is met in the middle; the first is done, and is not looked at again."""
    hold, met = dated.root / "hold", dated.root / "met"
    held = f"grep -q 10 $1 && ! grep -q 11 $1 && while [ -e {hold} ]; do touch {met}; sleep 0.1; done\n"
    (dated.root / "train.sh").write_text(held + TRAIN)
    (dated.root / ".gitignore").write_text(".tunegate/\nhold\nmet\n")
    (dated.root / "hold").touch()
    asked = ("backfill", "one", "--from", "HEAD~2", "--at-once", "1", "--json")
    before = looks(dated)
    going = command(dated.root, *asked, url=server)
    until(lambda: (dated.root / "met").exists() or going.poll() is not None)
    assert going.poll() is None, going.communicate()
    os.kill(going.pid, signal.SIGKILL)
    going.communicate(timeout=60)
    nobody_is_left(dated)
    (dated.root / "hold").unlink()
    (dated.root / "met").unlink()
    first = read_runs(dated)[0]

    again = command(dated.root, *asked, url=server)
    out, err = again.communicate(timeout=240)
    assert again.returncode == 0 and "Traceback" not in err, err
    assert "done before" in err and "goes on" in err
    rows = json.loads(out)["versions"]
    assert [row["subject"] for row in rows] == ["Data 0", "Data 1", "Data 2"]
    assert [row["verdict"] for row in rows] == ["PASS"] * 3 and [row["before"] for row in rows] == [True, False, False]
    assert rows[0]["run"] == first.commit and {"ingest", "validate"} <= set(rows[1]["reused"])
    assert "train" in rows[1]["redone"]
    for row in rows:
        listed = git(dated.root, "show", f"{find_run(dated, row['run']).commit}:dvc.lock")
        assert row["hash"] in listed
    assert [line for line in looks(dated) if "hold" not in line] == [line for line in before if "hold" not in line]
    assert not list((dated.state / "worktrees").iterdir()) and "worktrees" not in git(dated.root, "worktree", "list")
    assert "| Data" not in Path(json.loads(out)["report"]).read_text()

    start = time.monotonic()
    third = command(dated.root, *asked, url="http://127.0.0.1:9/api")  # nothing is to be done: no server is asked
    out, err = third.communicate(timeout=60)
    assert [row["before"] for row in json.loads(out)["versions"]] == [True] * 3, err
    assert time.monotonic() - start < 60
