"""Prefect's API in plain HTTP, for what needs no Prefect: asked in milliseconds, where importing it takes seconds."""

import base64
import json
import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from tunegate.errors import OutsideError

SECONDS = 10.0
BUSY = (429, 502, 503)
PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0, None)


@dataclass(frozen=True)
class Server:
    """Prefect's server at its API's address."""

    url: str

    def get(self, path: str) -> Any:
        return self._ask("GET", path, None)

    def post(self, path: str, **body: Any) -> Any:
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        """Raises OutsideError."""
        request = Request(
            f"{self.url}/{path}",
            None if body is None else json.dumps(body).encode(),
            {"content-type": "application/json", **_authorization()},
            method=method,
        )
        try:
            return _answer(request)
        except HTTPError as error:
            said = error.read().decode(errors="replace")[:300]
            raise OutsideError(f"Prefect's server refused {path}: {error.code} {said}", "See its log.") from error
        except OSError as error:
            raise OutsideError(
                f"Prefect's server at {self.url} does not answer: {error}.", "`tunegate status` says how it is."
            ) from error


def _answer(request: Request) -> Any:
    """Asked again while the server says that it is busy, as Prefect's own client does: SQLite has one writer."""
    for pause in PAUSES_SECONDS:
        try:
            with _opener(request).open(request, timeout=SECONDS) as response:
                return json.loads(response.read() or b"null")
        except HTTPError as error:
            if error.code not in BUSY or pause is None:
                raise
            time.sleep(pause)
    raise AssertionError("the last pause is None")


def _opener(request: Request) -> OpenerDirector:
    """This machine is reached without the proxy that the environment names for the world."""
    loopback = urlsplit(request.full_url).hostname in ("127.0.0.1", "localhost", "::1")
    return build_opener(ProxyHandler({})) if loopback else build_opener()


def _authorization() -> dict[str, str]:
    """As Prefect's own clients prove themselves, by the same variables."""
    if key := os.environ.get("PREFECT_API_KEY"):
        return {"authorization": f"Bearer {key}"}
    if pair := os.environ.get("PREFECT_API_AUTH_STRING"):
        return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}
