"""Prefect's settings for a run by hand, and a server of our own where the person named none.

Set before Prefect is imported; every variable that is already set wins.
"""

import atexit
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.request import urlopen

from flows.alive import read_kept
from tunegate.errors import OutsideError, UserError
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
    if url := _kept_server(workspace):
        say(f"in Prefect's server of `tunegate up`: {url.removesuffix('/api')}")
        os.environ["PREFECT_API_URL"] = url
        return
    say("starting Prefect's server for this run (PREFECT_API_URL names another)")
    server = _start(workspace)
    # Registered before Prefect is imported, so it runs after Prefect has sent its last log lines.
    atexit.register(_stop, server)
    os.environ["PREFECT_API_URL"] = _address(server)
    import prefect  # noqa: F401 - takes seconds of the server's own start

    _wait(server, os.environ["PREFECT_API_URL"])


def _kept_server(workspace: Workspace) -> str | None:
    """The server that `tunegate up` keeps, waited for while it starts: two servers on one database are one too many."""
    deadline = time.monotonic() + float(STARTUP_SECONDS)
    while (kept := read_kept(workspace)) is not None and time.monotonic() < deadline:
        if kept.state == "ready":
            return kept.url
        time.sleep(0.2)
    return None


def use_named_server(workspace: Workspace) -> None:
    """Prefect's settings for a worker. Raises UserError where no server is named: one of our own, nobody would see."""
    for name, value in _settings(workspace).items():
        os.environ.setdefault(name, value)
    if os.environ.get("PREFECT_API_URL"):
        return
    url = _kept_server(workspace)
    if url is None:
        raise UserError(
            "A worker needs the server that the runs use, and PREFECT_API_URL is not set.",
            "Set it to that server's address: PREFECT_API_URL=http://host:4200/api; on one machine: `tunegate up`.",
        )
    os.environ["PREFECT_API_URL"] = url


@contextmanager
def served(workspace: Workspace, say: Callable[[str], None]) -> Iterator[str]:
    """A server's address for runs in processes of their own, without importing Prefect here."""
    url = os.environ.get("PREFECT_API_URL") or _kept_server(workspace)
    if url:
        yield url
        return
    say("starting Prefect's server for these runs (PREFECT_API_URL names another)")
    with overlaid(_settings(workspace)):
        server = _start(workspace)
        try:
            address = _address(server)
            _wait(server, address)
            yield address
        finally:
            _stop(server)


@contextmanager
def overlaid(settings: dict[str, str]) -> Iterator[None]:
    """Variables that are not set already, while the block runs."""
    added = {name: value for name, value in settings.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _stop(server: "subprocess.Popen[str]") -> None:
    assert server.stdin is not None and server.stdout is not None
    server.stdin.close()  # which tells it to end
    server.wait()
    server.stdout.close()


def settings_of_kept(workspace: Workspace, port: int) -> dict[str, str]:
    """For the server and the worker that `tunegate up` keeps, and for the runs that the worker starts."""
    url = f"http://127.0.0.1:{port}/api"
    return {
        **_everywhere(workspace),
        "PREFECT_API_URL": url,
        **{name: _with_loopback(os.environ.get(name, "")) for name in ("NO_PROXY", "no_proxy")},
        "PREFECT_SERVER_UI_ENABLED": "true",
        "PREFECT_SERVER_UI_API_URL": "/api",  # whatever name or tunnel the person's browser came by
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(workspace.state / "prefect" / "ui"),  # the package may be read-only
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # An expectation that ran out while the server was away is still met with its action, not swept away.
        "PREFECT_SERVER_EVENTS_EXPIRED_BUCKET_BUFFER": "P1D",
        "PREFECT_CLIENT_MAX_RETRIES": "7",  # with doubled pauses: two minutes for a server that starts again
        "PREFECT_WORKER_QUERY_SECONDS": "5",  # on loopback, where asking costs little
        "PREFECT_LOGGING_LEVEL": "INFO",
    }


def _with_loopback(said: str) -> str:
    """This machine is reached without the proxy that the environment names for the world."""
    return ",".join(filter(None, (said, "127.0.0.1", "localhost")))


def at_home(workspace: Workspace) -> None:
    """Before Prefect is imported for its rules alone: it keeps its files where all of ours are, and tells nobody."""
    for name, value in _everywhere(workspace).items():
        os.environ.setdefault(name, value)


def _settings(workspace: Workspace) -> dict[str, str]:
    return {
        **_everywhere(workspace),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": STARTUP_SECONDS,
        "PREFECT_SERVER_UI_ENABLED": "false",
        # People read our own lines; Prefect gets the same ones through its API.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    }


def _everywhere(workspace: Workspace) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(workspace.state / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # by which a lost run is known; Prefect allows no shorter one
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
