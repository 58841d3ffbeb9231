"""A DVC remote over HTTP that can fail as remotes do."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


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


@contextmanager
def failing_remote(folder: Path) -> Iterator[tuple[Remote, str]]:
    """The server of a folder's files, and its address."""
    with Remote(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield served, f"http://127.0.0.1:{served.server_address[1]}"
        served.shutdown()
