"""A DVC remote that stops half way, flips a byte or is away: a sentence, nothing wrong believed, the same end."""

import functools
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.orchestration.faults.project import as_if_nothing_had_been, release, run
from tests.projects import dvc, git
from tunegate.dvc.tracking import track
from tunegate.workspace import Workspace

pytestmark = pytest.mark.slow


class Remote(ThreadingHTTPServer):
    """Files of a folder over HTTP. `fault`: whole, half (the connection ends in the middle), flip or away."""

    fault = "whole"
    faults = 0  # how often it really happened


class Handler(SimpleHTTPRequestHandler):
    server: Remote

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file() or self.server.fault == "whole":
            super().do_GET()
            return
        self.server.faults += 1
        if self.server.fault == "away":
            self.send_error(503)
            return
        content = bytearray(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.server.fault == "half":
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        content[len(content) // 2] ^= 1
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def remote(ready: Workspace, tmp_path: Path) -> Iterator[Remote]:
    """It alone has the raw data, which the run has to bring."""
    folder = tmp_path / "remote"
    git(ready.root, "rm", "-r", "-q", "--cached", "data/raw/one")
    track(ready, ready.raw("one"))
    shutil.copytree(ready.root / ".dvc/cache/files", folder / "files")
    with Remote(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{served.server_address[1]}"
        dvc(ready.root, "remote", "add", "--force", "--default", "team", url)
        git(ready.root, "add", "-A")
        git(ready.root, "commit", "-qm", "Share the data")
        listed = (ready.raw("one.dvc")).read_text().split("md5: ")[1].split()[0]
        shutil.rmtree(ready.raw("one"))
        _forget(ready, listed)
        yield served
        served.shutdown()


def _forget(workspace: Workspace, folder: str) -> None:
    import json

    cache = workspace.root / ".dvc/cache/files/md5"
    entry = cache / folder[:2] / folder[2:]
    for each in json.loads(entry.read_text()):
        (cache / each["md5"][:2] / each["md5"][2:]).unlink()
    entry.unlink()


@pytest.mark.parametrize("fault", ["half", "flip", "away"])
def test_a_failing_remote_is_said_and_nothing_wrong_is_believed(
    ready: Workspace, server: str, undisturbed: dict[str, str], remote: Remote, fault: str
) -> None:
    release(ready)
    remote.fault = fault
    status, _, log = run(ready, server)
    assert remote.faults > 0 and status == 75 and "data/raw/one is not here" in log, (status, log)
    assert not (ready.raw("one") / "rows.csv").exists()
    remote.fault = "whole"
    as_if_nothing_had_been(ready, server, undisturbed, said="brought data/raw/one from its DVC remote")
