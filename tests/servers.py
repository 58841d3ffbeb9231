"""Servers on this machine that give files as others do: plain ones, Hugging Face's hub and ModelScope."""

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "c0ffee" * 6 + "c0ff"
PAGE = b"<!DOCTYPE html>\n<html><title>Please log in</title></html>\n"


@dataclass
class Served:
    """What a server has and how it behaves; a test may change it meanwhile. `models`: a hub's folders by OWNER/NAME."""

    files: dict[str, bytes] = field(default_factory=dict)  # by path, from `/`
    models: dict[str, Path] = field(default_factory=dict)
    break_after: int | None = None  # bytes, then the connection ends: of the first body that is longer
    statuses: dict[str, int] = field(default_factory=dict)  # by path
    silent: bool = False  # takes requests and never answers
    pages: bool = False  # a web page in the place of everything
    without_length: bool = False
    listed: dict[str, Any] = field(default_factory=dict)  # changes of what a hub says of each file
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)  # path and headers
    stop: threading.Event = field(default_factory=threading.Event)
    address: str = ""

    def ranges(self) -> list[str]:
        return [headers["Range"] for _, headers in self.asked if "Range" in headers]


@contextmanager
def serving(served: Served) -> Iterator[Served]:
    handler = type("Handler", (_Handler,), {"served": served})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        served.address = f"http://127.0.0.1:{server.server_port}"
        try:
            yield served
        finally:
            served.stop.set()
            server.shutdown()
            thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    served: Served

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        served, path = self.served, unquote(urlsplit(self.path).path)
        served.asked.append((path, {name.title(): value for name, value in self.headers.items()}))
        if served.silent:
            served.stop.wait(30)
            return
        if path in served.statuses:
            self.send_error(served.statuses[path])
            return
        body = PAGE if served.pages else self._found(path, parse_qs(urlsplit(self.path).query))
        if body is None:
            self._missing(path)
        else:
            self._give(body)

    def _missing(self, path: str) -> None:
        self.send_response(404)
        if path.startswith("/api/models/"):
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _found(self, path: str, query: Mapping[str, list[str]]) -> bytes | None:
        parts = path.strip("/").split("/")
        if path in self.served.files:
            return self.served.files[path]
        match parts:
            case ["api", "models", owner, name, "revision", revision]:
                return self._hub_listing(f"{owner}/{name}", revision)
            case [owner, name, "resolve", revision, file] if revision == COMMIT:
                return self._of_model(f"{owner}/{name}", file)
            case ["api", "v1", "models", owner, name, "repo", "files"]:
                return self._scope_listing(f"{owner}/{name}", query["Revision"][0])
            case ["api", "v1", "models", owner, name, "repo"]:
                return self._of_model(f"{owner}/{name}", query["FilePath"][0])
        return None

    def _of_model(self, model: str, file: str) -> bytes | None:
        path = self.served.models.get(model, Path("nowhere")) / file
        return path.read_bytes() if path.is_file() else None

    def _hub_listing(self, model: str, revision: str) -> bytes | None:
        if model not in self.served.models or revision not in ("main", COMMIT):
            return None
        files = [
            {
                "rfilename": path.name,
                "size": path.stat().st_size,
                "blobId": hashlib.sha1(path.name.encode()).hexdigest(),
                **(
                    {"lfs": {"sha256": _sha256(path), "size": path.stat().st_size, "pointerSize": 134}}
                    if _large(path)
                    else {}
                ),
                **self.served.listed,
            }
            for path in sorted(self.served.models[model].iterdir())
        ]
        return json.dumps({"id": model, "sha": COMMIT, "private": False, "tags": [], "siblings": files}).encode()

    def _scope_listing(self, model: str, revision: str) -> bytes | None:
        if model not in self.served.models or revision != "master":
            return None
        files: list[dict[str, Any]] = [
            {"Name": path.name, "Path": path.name, "Type": "blob", "Size": path.stat().st_size, "Sha256": _sha256(path)}
            for path in sorted(self.served.models[model].iterdir())
        ]
        files.append({"Name": "onnx", "Path": "onnx", "Type": "tree", "Size": 0, "Sha256": ""})
        return json.dumps({"Code": 200, "Success": True, "Data": {"Files": files}}).encode()

    def _give(self, body: bytes) -> None:
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        start = self._start(body, tag)
        if start and start >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if not self.served.without_length:
            self.send_header("Content-Length", str(len(body) - start))
        self.send_header("ETag", tag)
        self.end_headers()
        rest, after = body[start:], self.served.break_after
        if after is not None and len(rest) > after:
            self.served.break_after = None
            rest = rest[:after]
        self.wfile.write(rest)

    def _start(self, body: bytes, tag: str) -> int:
        asked, condition = self.headers.get("Range"), self.headers.get("If-Range")
        return int(asked.removeprefix("bytes=").rstrip("-")) if asked and condition == tag else 0


def _large(path: Path) -> bool:
    return path.suffix in (".safetensors", ".bin")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
