"""What a dead run left is put right without a person, and said; a person's own conflict is left to them."""

import json

from flows.recover import begin, cut_short, mended_lock, recover, settled
from tests.versions.history import commit, introduce
from tunegate.dvc.project import Project

CUT = 200  # bytes that a stop in the middle left of dvc.lock


def test_a_note_of_a_dead_run_is_said_until_its_record_is_there(finished):
    begin(finished, "one", "one-20260101-000000")
    said = []
    recover(finished, ["one"], said.append)
    assert "the run one-20260101-000000 (process" in said[0] and "cut short" in said[0]
    settled(finished, "one")
    assert cut_short(finished, "one") is None


def test_damaged_files_are_brought_back_or_made_again_and_temporary_names_cleared(finished):
    introduce(finished.root, "Anna")
    commit(finished.root, "With what the run made")
    inputs, report = finished.inputs("one"), finished.report("one", "gate")
    whole = inputs.read_bytes()
    inputs.write_bytes(whole[:50])
    report.write_text('{"verdict": "PA')
    stray = report.with_name(".gate.json.k3x9")
    stray.write_text("half")
    said = []
    recover(finished, ["one"], said.append)
    assert inputs.read_bytes() == whole and not report.exists() and not stray.exists()
    assert len(said) == 3 and all(finished.relative(path) in " ".join(said) for path in (inputs, report, stray))
    recover(finished, ["one"], said.append)
    assert len(said) == 3


def test_half_a_dvc_lock_comes_from_the_last_commit_and_a_conflict_is_a_persons(finished):
    introduce(finished.root, "Anna")
    commit(finished.root, "With what the run made")
    lock = finished.root / "dvc.lock"
    whole = lock.read_bytes()
    said = []
    lock.write_bytes(b"<<<<<<< HEAD\n" + whole)
    assert not mended_lock(finished, said.append) and said == []
    lock.write_bytes(whole[: whole.rindex(b"md5") + 2])
    assert mended_lock(finished, said.append) and lock.read_bytes() == whole and "damaged" in said[0]
    assert not mended_lock(finished, said.append)


def test_half_a_dvc_lock_without_any_other_is_made_anew(finished):
    lock = finished.root / "dvc.lock"
    lock.write_bytes(lock.read_bytes()[:CUT] + b"\n  - {")
    said = []
    assert mended_lock(finished, said.append) and not lock.exists() and "made anew" in said[0]
    Project(finished).close()
    assert json.loads(finished.report("one", "gate").read_text())["verdict"] == "PASS"
