"""A file comes whole or not at all, goes on where it broke off, and is what it should be, from a server made here."""

import fcntl
import hashlib
import json
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Served, serving
from tunegate import downloads
from tunegate.downloads import Wanted, download, shown
from tunegate.errors import OutsideError, UserError

CONTENT = random.Random(0).randbytes(300_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(Served({"/files/weights.zip": CONTENT})) as made:
        yield made


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "in" / "weights.zip"


def left(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_a_file_comes_whole_with_its_hash_and_the_way_is_told(served: Served, target: Path) -> None:
    told: list[tuple[int, int]] = []
    wanted = Wanted(f"{served.address}/files/weights.zip", sha256=DIGEST, size=len(CONTENT))
    assert download(wanted, target, lambda done, total: told.append((done, total))) == DIGEST
    assert target.read_bytes() == CONTENT and left(target) == ["weights.zip"]
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_connection_that_breaks_is_taken_up_where_it_broke_off(served: Served, target: Path) -> None:
    served.break_after = 100_000
    assert download(Wanted(f"{served.address}/files/weights.zip"), target) == DIGEST
    assert served.ranges() == ["bytes=65536-"]


def test_what_came_before_a_server_went_away_is_not_asked_for_again(
    served: Served, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{served.address}/files/weights.zip"
    monkeypatch.setattr(downloads, "MOST_BREAKS", 1)
    served.break_after = 100_000
    with pytest.raises(OutsideError, match="keeps breaking") as caught:
        download(Wanted(url), target)
    assert "goes on where it broke off" in caught.value.remedy
    assert left(target) == [".weights.zip.part", ".weights.zip.part.json"]
    assert download(Wanted(url), target) == DIGEST
    assert served.ranges() == ["bytes=65536-"] and left(target) == ["weights.zip"]


def test_a_file_that_changed_meanwhile_starts_anew(
    served: Served, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_BREAKS", 1)
    served.break_after = 100_000
    with pytest.raises(OutsideError):
        download(Wanted(f"{served.address}/files/weights.zip"), target)
    served.files["/files/weights.zip"] = CONTENT[::-1]
    download(Wanted(f"{served.address}/files/weights.zip"), target)
    assert target.read_bytes() == CONTENT[::-1]


def test_a_file_that_was_whole_when_it_was_killed_is_not_brought_again(served: Served, target: Path) -> None:
    download(Wanted(f"{served.address}/files/weights.zip"), target)
    target.rename(target.with_name(".weights.zip.part"))
    notes = {"url": f"{served.address}/files/weights.zip", "mark": f'"{DIGEST[:16]}"'}
    target.with_name(".weights.zip.part.json").write_text(json.dumps(notes))
    before = len(served.asked)
    assert download(Wanted(f"{served.address}/files/weights.zip"), target) == DIGEST
    assert len(served.asked) == before + 1


def refusals(served: Served, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Wanted, type[Exception], str]]:
    url = f"{served.address}/files/weights.zip"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/x.zip"
    served.statuses |= {"/busy.zip": 503, "/private.zip": 403}
    served.files["/page.zip"] = b"\n<!DOCTYPE html><title>Sign in</title>"
    return {
        "another hash": (Wanted(url, sha256="0" * 64), OutsideError, "not the file that the catalogue knows"),
        "another size": (Wanted(url, size=10), OutsideError, "gave 300,000 bytes, not 10"),
        "not there": (Wanted(f"{served.address}/none.zip"), UserError, "answered 404"),
        "private": (Wanted(f"{served.address}/private.zip"), UserError, "answered 403"),
        "busy": (Wanted(f"{served.address}/busy.zip"), OutsideError, "answered 503"),
        "a web page": (Wanted(f"{served.address}/page.zip"), UserError, "gave a web page"),
        "no server": (Wanted(nobody), OutsideError, "no connection"),
        "no address": (Wanted("weights.zip"), UserError, "is no address"),
    }


REFUSALS = ("another hash", "another size", "not there", "private", "busy", "a web page", "no server", "no address")


@pytest.mark.parametrize("case", REFUSALS)
def test_what_goes_wrong_is_said_in_a_sentence_and_nothing_is_left(
    case: str, served: Served, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, kind, says = refusals(served, monkeypatch)[case]
    with pytest.raises(kind, match=says) as caught:
        download(wanted, target)
    assert caught.value.remedy  # type: ignore[attr-defined]
    assert left(target) == []


@pytest.mark.parametrize("without_length", [False, True])
def test_more_than_may_be_is_refused(
    without_length: bool, served: Served, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "LARGEST", 200_000)
    monkeypatch.setattr(downloads, "CHUNK", 50_000)
    served.without_length = without_length
    with pytest.raises(UserError, match="larger than it may be"):
        download(Wanted(f"{served.address}/files/weights.zip"), target)
    assert left(target) == []


def test_a_server_that_never_answers_is_not_waited_for(
    served: Served, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "TIMEOUT_SECONDS", 0.2)
    served.silent = True
    with pytest.raises(OutsideError, match="stopped answering"):
        download(Wanted(f"{served.address}/files/weights.zip"), target)


def test_two_processes_do_not_write_one_file(served: Served, target: Path) -> None:
    target.parent.mkdir()
    with target.with_name(".weights.zip.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="Another process"):
            download(Wanted(f"{served.address}/files/weights.zip"), target)


def test_an_address_is_printed_without_its_secrets() -> None:
    assert shown("https://me:secret@host:8443/a/b.zip?signature=secret#x") == "https://host:8443/a/b.zip"
