"""A Bento started over HTTP as BentoML's users do, and ended whatever happens: no server outlives the one who asked."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunegate.bento import environment
from tunegate.errors import OutsideError, RefusedError
from tunegate.params import Precision

SECONDS_TO_START = 180.0  # a loaded machine; alone it takes 3 to 5
SECONDS_TO_END = 15.0
SECONDS_BETWEEN_LOOKS = 0.1

# Run before the server in its process: should the process that asked be killed, the kernel ends the server (Linux).
LAUNCHER = """
import ctypes, os, signal, sys
parent, *command = sys.argv[1:]
if sys.platform == "linux":
    PR_SET_PDEATHSIG = 1  # prctl(2)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        sys.exit(1)
os.execv(command[0], command)
"""


@dataclass(frozen=True)
class Address:
    host: str
    port: int


def serve_command(bento: Path, address: Address) -> list[str]:
    """The command that serves the Bento in the foreground, as BentoML's own users start it."""
    return [
        *(sys.executable, "-m", "bentoml", "serve", str(bento)),
        *("--host", address.host, "--port", str(address.port)),
    ]


@dataclass(frozen=True)
class Server:
    """A running Bento."""

    address: Address

    def get(self, path: str) -> Any:
        return self._ask("GET", path, None)

    def post(self, path: str, value: object) -> Any:
        return self._ask("POST", path, json.dumps(value).encode())

    def is_ready(self, path: str = "/readyz") -> bool:
        try:
            self._ask("GET", path, None)
        except (OSError, http.client.HTTPException, OutsideError):
            return False
        return True

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        """Raises OutsideError for any other status than 200."""
        connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=60)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != 200:
            said = content[:500].decode(errors="replace")
            raise OutsideError(
                f"The service answered {method} {path} with {response.status}: {said}.", "Run the pipeline again."
            )
        return json.loads(content) if content.strip() else None


@contextmanager
def running(bento: Path, precision: Precision | None = None) -> Iterator[Server]:
    """The Bento on a free port of loopback, ready to answer.

    Raises RefusedError with what the service said when it does not start, OutsideError when it takes too long.
    """
    with tempfile.TemporaryDirectory(prefix="tunegate-serve-") as home:
        address = Address("127.0.0.1", free_port())
        log = Path(home) / "log.txt"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-c", LAUNCHER, str(os.getpid()), *serve_command(bento, address)],
                env=_environment(Path(home), precision),
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        try:
            server = Server(address)
            wait_until_ready(server, process, log)
            yield server
        finally:
            _end(process)


def _environment(home: Path, precision: Precision | None) -> dict[str, str]:
    """Without the person's token and version: nobody else is meant to ask this server."""
    kept = {name: value for name, value in environment(home).items() if not name.startswith("TUNEGATE_")}
    return {**kept, "TUNEGATE_PRECISION": precision} if precision else kept


def wait_until_ready(server: Server, process: "subprocess.Popen[bytes]", log: Path, path: str = "/readyz") -> None:
    """Raises RefusedError with what stands in `log` when the process ended, OutsideError when it takes too long."""
    deadline = time.monotonic() + SECONDS_TO_START
    while not server.is_ready(path):
        if process.poll() is not None:
            said = log.read_text(encoding="utf-8", errors="replace").strip()
            raise RefusedError("The service does not start.", f"It said:\n{said[-2000:]}")
        if time.monotonic() > deadline:
            raise OutsideError(
                f"The service was not ready after {SECONDS_TO_START:.0f} seconds.", "Run the pipeline again."
            )
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Its workers too, also where it does not answer a friendly request."""
    import psutil

    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(SECONDS_TO_END)
    process.kill()
    process.wait()
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()


def free_port() -> int:
    """Free at this moment; a server that starts at once will get it."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])
