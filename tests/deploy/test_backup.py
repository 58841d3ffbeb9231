"""Backup and restore with a real PostgreSQL and a real git, without Prefect: what comes back, and what is refused."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.processes import Database, needed
from tests.deploy.units import DEPLOY
from tests.projects import git

pytestmark = pytest.mark.slow


@dataclass
class Place:
    """A project with a tag, a run's ref and a private store, and Prefect's database."""

    folder: Path
    database: Database

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def backups(self) -> list[Path]:
        return sorted((self.folder / "backups").iterdir())

    def call(self, name: str, *arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        address = f"postgresql+asyncpg://tunegate@/prefect?host={self.database.folder}"
        environment = {**os.environ, "PREFECT_SERVER_DATABASE_CONNECTION_URL": address, **variables}
        command = [DEPLOY / name, *arguments]
        return subprocess.run(command, cwd=self.project, env=environment, capture_output=True, text=True, check=False)

    def backup(self, *arguments: str) -> Path:
        done = self.call("backup", self.folder / "backups", *arguments)
        assert done.returncode == 0, done.stderr
        return Path(done.stdout.split()[3])


@pytest.fixture
def place() -> Iterator[Place]:
    for program in ("initdb", "postgres", "psql", "pg_dump", "pg_restore"):
        needed(program)
    folder = Path(tempfile.mkdtemp(prefix="tunegate-"))
    folder.chmod(0o755)
    database = Database.make(folder / "pg")
    try:
        database.start()
        database.create()
        database.ask("create table runs (name text); insert into runs values ('first'); create extension pg_trgm")
        made = Place(folder, database)
        make_history(made.project)
        yield made
    finally:
        database.process.stop()
        shutil.rmtree(folder)


def make_history(project: Path) -> None:
    store = project / ".tunegate/store/files/md5/ab"
    store.mkdir(parents=True)
    (store / "cdef").write_text("rows")
    (project / ".tunegate/people.json").write_text("{}")
    for name in ("dvc.yaml", "params.yaml"):
        (project / name).write_text("{}\n")
    (project / ".gitignore").write_text(".tunegate/\n")
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "start")
    git(project, "tag", "-a", "-m", "good", "support@v1.0.0")
    git(project, "update-ref", "refs/exps/ab/cd/run", "HEAD")


def refs(project: Path) -> set[str]:
    kept = git(project, "for-each-ref", "--format=%(refname) %(objectname)", "refs/tags", "refs/exps")
    return set(kept.split("\n"))


def test_what_was_lost_is_there_again(place: Place) -> None:
    before = refs(place.project)
    backup = place.backup()
    place.database.ask("drop table runs")
    place.database.ask("create table newer (name text)")
    shutil.rmtree(place.project)
    subprocess.run(["git", "clone", "-q", backup / "history.bundle", place.project], check=True)
    assert place.call("restore", backup, REPLACE="yes").returncode == 0
    assert place.database.ask("select name from runs") == "first"
    assert place.database.ask("select count(*) from pg_tables where tablename = 'newer'") == "0"
    assert refs(place.project) == before
    assert (place.project / ".tunegate/store/files/md5/ab/cdef").read_text() == "rows"
    assert (place.project / ".tunegate/people.json").read_text() == "{}"


def test_what_a_backup_has_the_next_one_links(place: Place) -> None:
    first = place.backup()
    (place.project / ".tunegate/store/new").write_text("more rows")
    subprocess.run(["sleep", "1"], check=True)  # names go by the second
    second = place.backup()
    old, same, new = (each / "store" for each in (first, second, second))
    assert (old / "files/md5/ab/cdef").samefile(same / "files/md5/ab/cdef")
    assert (new / "new").read_text() == "more rows"


def test_only_so_many_are_kept_and_a_broken_one_is_no_backup(place: Place) -> None:
    for day in range(1, 6):
        (place.folder / f"backups/2026010{day}T000000Z").mkdir(parents=True)
    (place.folder / "backups/20260109T000000Z.part").mkdir()
    newest = place.backup("3")
    assert [path.name for path in place.backups] == [
        "20260104T000000Z",
        "20260105T000000Z",
        "20260109T000000Z.part",
        newest.name,
    ]


def test_a_backup_without_a_database_fails_and_leaves_nothing_that_looks_whole(place: Place) -> None:
    place.database.process.kill()
    done = place.call("backup", place.folder / "backups")
    assert done.returncode == 75 and "could not be dumped" in done.stderr
    assert [path.suffix for path in place.backups] == [".part"]


@pytest.mark.parametrize("file", ["prefect.dump", "history.bundle", "store/files/md5/ab/cdef"])
def test_a_damaged_backup_is_refused_before_anything_is_touched(file: str, place: Place) -> None:
    backup = place.backup()
    (backup / file).write_bytes((backup / file).read_bytes()[:-1])
    done = place.call("restore", backup, REPLACE="yes")
    assert done.returncode == 2 and "damaged" in done.stderr
    assert place.database.ask("select name from runs") == "first"


def test_a_database_that_holds_something_or_is_in_use_is_left_alone(place: Place) -> None:
    backup = place.backup()
    assert "not empty" in place.call("restore", backup).stderr
    session = [needed("psql"), "-h", str(place.database.folder), "-U", "tunegate", "-d", "prefect"]
    with subprocess.Popen(session, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None and other.stdout is not None
        print("\\echo here", file=other.stdin, flush=True)
        assert other.stdout.readline() == "here\n"
        assert "connections to the database are open" in place.call("restore", backup, REPLACE="yes").stderr
        other.stdin.close()
    assert place.database.ask("select name from runs") == "first"


def test_a_tag_that_is_another_here_is_said_and_kept(place: Place) -> None:
    backup = place.backup()
    git(place.project, "commit", "-qm", "more", "--allow-empty")
    git(place.project, "tag", "-f", "-a", "-m", "other", "support@v1.0.0")
    mine = refs(place.project)
    done = place.call("restore", backup, REPLACE="yes")
    assert done.returncode == 2 and "support@v1.0.0" in done.stderr
    assert refs(place.project) == mine
