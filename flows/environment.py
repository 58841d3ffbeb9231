"""Prefect's settings for a run by hand, and a server of our own where the person named none.

Set before Prefect is imported; every variable that is already set wins.
"""

import atexit
import os
import subprocess
import sys
import time
from collections.abc import Callable
from urllib.request import urlopen

from tunegate.errors import OutsideError
from tunegate.workspace import Workspace

STARTUP_SECONDS = "180"  # a first start makes the database: 15 to 20 CPU seconds, more on a busy machine


def use_prefect(workspace: Workspace, say: Callable[[str], None]) -> None:
    """Import Prefect with its settings, and a server that ends with this process, however it ends.

    Once per process, since Prefect reads its settings when it is imported. Raises OutsideError where no server starts.
    """
    for name, value in _settings(workspace).items():
        os.environ.setdefault(name, value)
    if os.environ.get("PREFECT_API_URL"):
        return
    say("starting Prefect's server for this run (PREFECT_API_URL names another)")
    server = _start(workspace)
    # Registered before Prefect is imported, so it runs after Prefect has sent its last log lines.
    atexit.register(_stop, server)
    os.environ["PREFECT_API_URL"] = _address(server)
    import prefect  # noqa: F401 - takes seconds of the server's own start

    _wait(server, os.environ["PREFECT_API_URL"])


def _stop(server: "subprocess.Popen[str]") -> None:
    assert server.stdin is not None and server.stdout is not None
    server.stdin.close()  # which tells it to end
    server.wait()
    server.stdout.close()


def _settings(workspace: Workspace) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(workspace.state / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": STARTUP_SECONDS,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # People read our own lines; Prefect gets the same ones through its API.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    }


def _start(workspace: Workspace) -> subprocess.Popen[str]:
    log = workspace.state / "prefect" / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "flows.server"],
            cwd=workspace.root,
            stdin=subprocess.PIPE,  # held open while we live
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # so that Ctrl-C reaches it last, after the run's last state was told
        )


def _address(server: subprocess.Popen[str]) -> str:
    """The server says where it will be as soon as it has its port."""
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    if not url:
        raise _failed()
    return url


def _wait(server: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + float(os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"])
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(f"{url}/health", timeout=5):
                return
        except OSError:  # not yet
            time.sleep(0.05)
    raise _failed()


def _failed() -> OutsideError:
    return OutsideError(
        "Prefect's server did not start.",
        f"See {os.environ['PREFECT_HOME']}/server.log; or start one yourself and set PREFECT_API_URL.",
    )
