"""Public sets: verified, whole or not at all, from a mirror or a server (here one on this machine)."""

import functools
import hashlib
import http.server
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tunegate.catalogue.fetching import fetch_set
from tunegate.catalogue.sets import PublicSet, find_set, public_sets
from tunegate.errors import OutsideError, UserError

SHARED = Path(os.environ.get("TUNEGATE_SHARED") or Path(__file__).parents[3] / "shared") / "data"
CONTENT = {"train.csv": b"text,label\na,x\n", "more/test.csv": b"text,label\nb,y\n"}


def small_set(url: str | None, content: dict[str, bytes] = CONTENT) -> PublicSet:
    files = [{"path": name, "sha256": hashlib.sha256(data).hexdigest()} for name, data in content.items()]
    about = {"title": "t", "task": "text_classification", "licence": "CC0", "citation": "nobody"}
    return PublicSet.model_validate({"name": "small", "url": url, "files": files, **about})


def lay_out(folder: Path, content: dict[str, bytes] = CONTENT) -> Path:
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def held(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fetch(public: PublicSet, folder: Path, mirror: Path | None) -> bool:
    return fetch_set(public, folder, mirror, lambda name: None)


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of a server that has the set's files under /commit."""
    lay_out(tmp_path / "served" / "commit")
    handler = functools.partial(Silent, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/commit"
        server.shutdown()
        thread.join()


def test_a_set_comes_from_a_mirror_and_once_is_enough(tmp_path: Path) -> None:
    lay_out(tmp_path / "mirror" / "small")
    folder = tmp_path / "raw" / "small"
    assert fetch(small_set(None), folder, tmp_path / "mirror") is True
    assert held(folder) == CONTENT
    assert fetch(small_set(None), folder, None) is False


def test_a_set_comes_from_its_address(tmp_path: Path, address: str) -> None:
    assert fetch(small_set(address), tmp_path / "raw" / "small", None) is True
    assert held(tmp_path / "raw" / "small") == CONTENT


def refusals(tmp_path: Path, address: str) -> dict[str, tuple[PublicSet, Path | None, str]]:
    other = {**CONTENT, "more/test.csv": b"something else"}
    lay_out(tmp_path / "right" / "small")
    lay_out(tmp_path / "wrong" / "small", other)
    lay_out(tmp_path / "half" / "small", {"train.csv": CONTENT["train.csv"]})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    return {
        "no mirror folder": (small_set(address), tmp_path / "none", "is not a folder"),
        "half a mirror": (small_set(address), tmp_path / "half", "has no file small/more/test.csv"),
        "another file in the mirror": (small_set(address), tmp_path / "wrong", "its SHA-256 is"),
        "another file on the server": (small_set(address, other), None, "is not the file that the catalogue knows"),
        "no file on the server": (small_set(f"{address}/x"), None, "answered 404"),
        "no server": (small_set(nobody), None, "no connection"),
        "no address": (small_set(None), None, "from a mirror only"),
    }


REFUSALS = (
    "no mirror folder",
    "half a mirror",
    "another file in the mirror",
    "another file on the server",
    "no file on the server",
    "no server",
    "no address",
)


@pytest.mark.parametrize("case", REFUSALS)
def test_what_goes_wrong_is_said_in_a_sentence_and_nothing_is_left(case: str, tmp_path: Path, address: str) -> None:
    public, mirror, says = refusals(tmp_path, address)[case]
    folder = tmp_path / "raw" / "small"
    with pytest.raises((UserError, OutsideError), match=says) as caught:
        fetch(public, folder, mirror)
    assert caught.value.remedy
    assert not folder.parent.exists() or not list(folder.parent.iterdir())


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    lay_out(tmp_path / "mirror" / "small")
    folder = lay_out(tmp_path / "raw" / "small", {**CONTENT, "mine.csv": b"mine"})
    with pytest.raises(UserError, match=r"mine\.csv differ"):
        fetch(small_set(None), folder, tmp_path / "mirror")
    assert (folder / "mine.csv").read_bytes() == b"mine"


def test_every_set_of_the_table_is_complete() -> None:
    assert {"banking77", "cad_nli", "cad_sentiment", "madewithml_projects", "sib200-eng"} <= public_sets().keys()
    for public in public_sets().values():
        assert public.licence and public.citation and public.title
        assert public.url is None or len(public.url.rsplit("/", 1)[1]) == 40, "pinned to a commit"
        names = {file.path for file in public.files}
        assert len(names) == len(public.files)
        assert set(public.ingest.files) <= names, "the files to read are files of the set"


def test_an_unknown_set_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match='Did you mean "banking77"'):
        find_set("banking7")


@pytest.mark.parametrize("name", public_sets() if SHARED.is_dir() else [])
def test_a_mirror_holds_every_set_of_the_table(name: str, tmp_path: Path) -> None:
    assert fetch(find_set(name), tmp_path / name, SHARED) is True
