"""What one stage needs and makes, handed from one clone to another by hash."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.projects import git, make_project, write_inputs
from tunegate.dvc.exchange import entry_in, made, take, work_of
from tunegate.dvc.project import Project, Step
from tunegate.dvc.running import Listener, run_step
from tunegate.dvc.transfer import push_objects
from tunegate.dvc.worktrees import bring_inputs
from tunegate.errors import OutsideError
from tunegate.workspace import Workspace

FIRST, SECOND = Step("first", "one"), Step("second", "one")
LINES: list[str] = []


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Workspace, Workspace]:
    """One in which the first stage has run, and a copy of its tree with an empty cache; they share a DVC remote."""
    driver = make_project(tmp_path / "driver")
    (driver.root / ".dvc/config").write_text(
        f"[core]\n    remote = team\n[cache]\n    type = copy\n['remote \"team\"']\n    url = {tmp_path / 'data'}\n"
    )
    run_step(driver, FIRST, Listener(LINES.append))
    git(driver.root, "add", "--all")
    git(driver.root, "commit", "-qm", "As it is")
    git(tmp_path, "clone", "-q", str(driver.root), str(tmp_path / "worker"))
    return driver, Workspace(tmp_path / "worker")


def answer(driver: Workspace, worker: Workspace) -> bytes:
    """The dvc.lock of the clone after the second stage."""
    push_objects(driver, work_of(driver, SECOND).reads)
    bring_inputs(worker, SECOND)
    run_step(worker, SECOND, Listener(LINES.append))
    lock = (worker.root / "dvc.lock").read_bytes()
    push_objects(worker, made(entry_in(lock, SECOND)))
    return lock


def test_what_a_stage_made_elsewhere_stands_as_if_it_had_run_here(clones: tuple[Workspace, Workspace]) -> None:
    driver, worker = clones
    work = work_of(driver, SECOND)
    assert not work.restorable and all(hash_value.endswith(".dir") for hash_value in work.reads)
    entry = entry_in(answer(driver, worker), SECOND)
    take(driver, SECOND, entry, work.key)
    assert (driver.stage("one", "second") / "out.txt").read_text() == "A ROW OF ONE\n"
    project = Project(driver)
    assert project.reasons(SECOND) == []
    project.close()
    assert git(driver.root, "status", "--porcelain").split() == ["M", "data/one/.gitignore", "M", "dvc.lock"]

    write_inputs(driver, "one", second={"size": 2})
    other = work_of(driver, SECOND)
    assert other.key != work.key and not other.restorable
    write_inputs(driver, "one")
    assert work_of(driver, SECOND) == replace(work, restorable=True)


def test_an_answer_to_another_question_or_without_its_files_is_not_taken(
    clones: tuple[Workspace, Workspace], tmp_path: Path
) -> None:
    driver, worker = clones
    key = work_of(driver, SECOND).key
    entry = entry_in(answer(driver, worker), SECOND)
    with pytest.raises(OutsideError, match="on other inputs"):
        take(driver, SECOND, entry, "0" * 64)
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(OutsideError, match="not in DVC's default remote"):
        take(driver, SECOND, entry, key)
    with pytest.raises(OutsideError, match="no entry"):
        entry_in(b"stages: {}", SECOND)
    assert not driver.stage("one", "second").exists()
