"""`tunegate up` and `down`: one keeper per state folder, started in the background and ended with all it started."""

import signal
import socket
import subprocess
import sys
import time

from flows.alive import Kept, folder_of, keeper_lives, last_kept, read_kept
from flows.job import Say
from flows.notifications import read_notifications
from flows.prefect_file import declared
from tunegate.errors import OutsideError, UserError
from tunegate.workspace import Workspace

READY_SECONDS = 300.0  # a first start makes the database and compiles what pip did not
END_SECONDS = 60.0
LINES_SHOWN = 5  # of a log, in an error


def up(workspace: Workspace, port: int, at_once: int, say: Say) -> Kept:
    """Start what is not running, or put on the running server what has changed. Raises UserError, OutsideError."""
    kept = _known(workspace)
    if kept is not None:
        return _again(workspace, kept, port, say)
    _check_declared(workspace)
    for notification in read_notifications(workspace):
        notification.address()
    _check_port(port)
    say(f"starting Prefect's server, its page and a worker (logs: {workspace.relative(folder_of(workspace))})")
    process = _start(workspace, port, at_once)
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        kept = read_kept(workspace)
        if kept is not None and kept.state == "ready":
            return kept
        time.sleep(0.2)
    raise _failed(workspace, process)


def down(workspace: Workspace, say: Say) -> bool:
    """End the keeper and all that it started; whether there was one. Raises OutsideError where it does not end."""
    kept = _known(workspace)
    if kept is None:
        return False
    say("ending the worker, its runs and the server")
    kept.process.send(signal.SIGTERM)
    if not _gone(workspace, END_SECONDS):
        kept.process.send(signal.SIGKILL)  # what it started ends with it
        if not _gone(workspace, END_SECONDS):
            raise OutsideError(
                f"The keeper, process {kept.process.pid}, does not end.",
                f"End it yourself: kill -9 {kept.process.pid}; what it started ends with it.",
            )
    return True


def _known(workspace: Workspace) -> Kept | None:
    """The living keeper, waited for in the moment before it has written itself down."""
    deadline = time.monotonic() + 5
    while keeper_lives(workspace):
        kept = last_kept(workspace)
        if kept is not None and kept.process.lives():
            return kept
        if time.monotonic() > deadline:
            raise OutsideError(
                f"Something holds {folder_of(workspace) / 'keeper.lock'} and does not say what it is.",
                "`lsof` on that file names the process.",
            )
        time.sleep(0.1)
    return None


def _again(workspace: Workspace, kept: Kept, port: int, say: Say) -> Kept:
    if f":{port}/" not in kept.url:
        raise UserError(
            f"It is up already, at {kept.page} (process {kept.process.pid}, since {kept.since}).",
            "End it with `tunegate down` before you start it on another port.",
        )
    from flows.deployments import apply_now

    say(f"is up already (process {kept.process.pid}, since {kept.since})")
    apply_now(workspace, kept.url, say)
    return kept


def _check_declared(workspace: Workspace) -> None:
    """A mistake is said here, not in a log. Prefect is imported only where there is a schedule to check."""
    if any(each.schedules for each in declared(workspace)):
        from flows.deployments import checked

        checked(workspace)


def _check_port(port: int) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise UserError(
            f"The port {port} is in use: {error.strerror}.", f"Name another one: tunegate up --port {port + 1}."
        ) from error


def _start(workspace: Workspace, port: int, at_once: int) -> "subprocess.Popen[bytes]":
    log = folder_of(workspace) / "keeper.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "flows.keeper", str(port), str(at_once)],
            cwd=workspace.root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it outlives the shell
        )


def _failed(workspace: Workspace, process: "subprocess.Popen[bytes]") -> OutsideError:
    folder = workspace.relative(folder_of(workspace))
    if process.poll() is None:
        return OutsideError(
            f"It was not ready within {READY_SECONDS:.0f} seconds.",
            f"It goes on starting: `tunegate status` says how far it is, {folder}/*.log why.",
        )
    kept = last_kept(workspace)
    why = kept.why if kept and kept.why else _tail(workspace)
    return OutsideError(f"It did not start. {why}", f"The logs lie in {folder}.")


def _tail(workspace: Workspace) -> str:
    log = folder_of(workspace) / "keeper.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    return " / ".join(lines[-LINES_SHOWN:])


def _gone(workspace: Workspace, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while keeper_lives(workspace):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
