"""Events are written once in the world that shares the remote, and read back as they were said."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.projects import git
from tests.versions.history import clone_of, event, make_repository
from tunegate.errors import OutsideError
from tunegate.versions.tags import LostRaceError, create_tag, read_tags

RACE = """
import json, sys
from pathlib import Path
from tunegate.versions.tags import LostRaceError, Message, create_tag
from tunegate.workspace import Workspace
workspace, message = Workspace(Path(sys.argv[1])), Message.model_validate_json(sys.argv[2])
sys.stdin.readline()
try:
    create_tag(workspace, "support#production#1", "Assign", message)
    print("won")
except LostRaceError as error:
    print(error.problem)
"""


def test_a_tag_is_read_as_it_was_written(tmp_path: Path) -> None:
    workspace = make_repository(tmp_path / "r")
    said = event(workspace, why='because "ü"\n\n-- and # more', improved_on_best=True)
    made = create_tag(workspace, "support@v1.0.0", "Register support@v1.0.0", said)
    git(workspace.root, "tag", "v9")  # of no business of ours
    (found,) = read_tags(workspace)
    assert found == made and found.message is not None
    assert found.message.why == said.why and found.message.improved_on_best
    assert git(workspace.root, "cat-file", "-t", "support@v1.0.0") == "tag\n"


def test_a_name_that_is_there_is_lost_and_its_writer_named(tmp_path: Path) -> None:
    workspace = make_repository(tmp_path / "r")
    create_tag(workspace, "support@v1.0.0", "first", event(workspace))
    with pytest.raises(
        LostRaceError, match=r"Anna <anna@example\.org> wrote support@v1\.0\.0 first.*it passed"
    ) as raised:
        create_tag(workspace, "support@v1.0.0", "second", event(workspace))
    assert raised.value.winner is not None


@pytest.mark.parametrize("shared", [True, False])
def test_of_two_processes_one_wins_and_the_other_is_told_who(tmp_path: Path, shared: bool) -> None:
    origin = make_repository(tmp_path / "first").root
    bare = tmp_path / "shared.git"
    git(tmp_path, "clone", "-q", "--bare", str(origin), str(bare))
    rooms = [clone_of(bare, tmp_path / "a", "Anna"), clone_of(bare, tmp_path / "b", "Ben")]
    if not shared:
        rooms[1] = rooms[0]
        git(rooms[0].root, "config", "tunegate.remote", "none")
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(room.root), event(room, who=who).model_dump_json()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for room, who in zip(rooms, ("Anna", "Ben"), strict=True)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [racer.communicate(timeout=60)[0].strip() for racer in racers]
    assert sorted(line == "won" for line in said) == [False, True], said
    winner, loser = ("Anna", "Ben")[said.index("won")], said[1 - said.index("won")]
    assert loser.startswith(f"{winner} wrote support#production#1 first")
    for room in rooms:
        (tag,) = read_tags(room)
        assert tag.message is not None and tag.message.who == winner


def test_nothing_is_written_where_the_shared_remote_is_gone(tmp_path: Path) -> None:
    workspace = make_repository(tmp_path / "r")
    git(workspace.root, "remote", "add", "origin", str(tmp_path / "gone"))
    git(workspace.root, "config", "tunegate.remote", "origin")
    with pytest.raises(OutsideError, match="remote"):
        create_tag(workspace, "support@v1.0.0", "x", event(workspace))
    assert read_tags(workspace) == []


def test_real_gto_reads_our_tags(tmp_path: Path) -> None:
    workspace = make_repository(tmp_path / "r")
    create_tag(workspace, "support@v1.0.0", "x", event(workspace))
    create_tag(workspace, "support#production#1", "x", event(workspace, what="promote", version="v1.0.0"))
    shown = subprocess.run(
        [str(Path(sys.executable).parent / "gto"), "show", "support", "--json"],
        cwd=workspace.root,
        capture_output=True,
        text=True,
        check=True,
    )
    (row,) = json.loads(shown.stdout)
    assert row["version"] == "v1.0.0" and "production" in json.dumps(row), row


def test_a_tag_is_signed_where_git_is_told_to(tmp_path: Path) -> None:
    workspace = make_repository(tmp_path / "r")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for name, value in (("tag.gpgSign", "true"), ("gpg.format", "ssh"), ("user.signingKey", str(key))):
        git(workspace.root, "config", name, value)
    tag = create_tag(workspace, "support@v1.0.0", "x", event(workspace))
    assert "BEGIN SSH SIGNATURE" in git(workspace.root, "cat-file", "-p", tag.object)
    assert "tag support@v1.0.0\n" in git(workspace.root, "cat-file", "-p", tag.object)
    (found,) = read_tags(workspace)
    assert found.message is not None and found.message.who == "Anna <anna@example.org>"
