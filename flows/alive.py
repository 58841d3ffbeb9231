"""Who lives: one keeper per state folder, and everything that it started, which ends when it does, however it ends.

Two locks of the kernel, given back with their holder: `keeper` says whether there is one, and on `alive` every
process that the keeper started waits in a thread of its own. No process number is ever trusted by itself.
"""

import fcntl
import json
import os
import signal
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from tunegate.workspace import Workspace, write_atomically

ALIVE = "TUNEGATE_ALIVE"  # the variable that names the lock to the keeper's processes
LAST_GASP_SECONDS = 30.0  # for the processes of a keeper that has just died to notice it
GASP_SECONDS = 1.0
ALIVE_FILES = "alive-*.lock"  # a new one for each keeper
GLANCE_SECONDS = 1.0  # whoever asks whether there is a keeper holds its lock for an instant


@dataclass(frozen=True)
class Process:
    """A process by number and start time: a number alone may have gone to another one since."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> "Process":
        import psutil

        return cls(pid, psutil.Process(pid).create_time())

    def lives(self) -> bool:
        import psutil

        try:
            process = psutil.Process(self.pid)
            return bool(process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    def send(self, number: signal.Signals) -> bool:
        """Whether it was there to hear it."""
        if not self.lives():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True


@dataclass(frozen=True)
class Kept:
    """What the keeper wrote down of itself. `state` is starting, ready, stopping or failed; `why` of a failure."""

    process: Process
    url: str
    since: str
    at_once: int
    state: str = "starting"
    why: str = ""
    children: dict[str, Process] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """Where a person opens it."""
        return self.url.removesuffix("/api")


def folder_of(workspace: Workspace) -> Path:
    """Locks, logs and what the keeper says of itself."""
    return workspace.state / "up"


def write_kept(workspace: Workspace, kept: Kept) -> None:
    write_atomically(folder_of(workspace) / "up.json", json.dumps(asdict(kept), indent=2))


def read_kept(workspace: Workspace) -> Kept | None:
    """What the living keeper says; None where there is none.

    In its first moment it has said nothing yet, and what is there is of one that was killed.
    """
    if not keeper_lives(workspace):
        return None
    kept = last_kept(workspace)
    return kept if kept is not None and kept.process.lives() else None


def last_kept(workspace: Workspace) -> Kept | None:
    """What was written last, by whomever."""
    try:
        told: dict[str, Any] = json.loads((folder_of(workspace) / "up.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    children = {name: Process(**each) for name, each in told.pop("children").items()}
    return Kept(**{**told, "process": Process(**told["process"]), "children": children})


def keeper_lives(workspace: Workspace) -> bool:
    lock = _take(folder_of(workspace) / "keeper.lock", fcntl.LOCK_SH | fcntl.LOCK_NB)
    if lock is None:
        return True
    lock.close()
    return False


def become_keeper(workspace: Workspace) -> tuple[IO[str], IO[str]] | None:
    """Both locks, to be held until the end; None where another keeper lives. The second one's name goes to all that
    is started, as the variable ALIVE.

    Waits until the processes of a keeper that died are gone: two workers of one folder are one too many.
    """
    folder = folder_of(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    keeper = _take_within(folder / "keeper.lock", GLANCE_SECONDS)
    if keeper is None:
        return None
    for left in folder.glob(ALIVE_FILES):
        time.sleep(GASP_SECONDS)  # for those who wait on it to wake first: their lock, taken from them, would keep them
        if (lock := _take_within(left, LAST_GASP_SECONDS)) is None:
            keeper.close()
            return None
        left.unlink()
        lock.close()
    alive = _take(folder / f"alive-{os.getpid()}-{time.time_ns()}.lock", fcntl.LOCK_EX)
    assert alive is not None
    return keeper, alive


def end_with_keeper() -> None:
    """Kill this process group when the keeper is gone. Without a keeper (a team's own worker) nothing happens."""
    path = os.environ.get(ALIVE)
    if not path:
        return

    def watch() -> None:
        lock = _take(Path(path), fcntl.LOCK_SH)  # held by the keeper alone for as long as it lives
        os.killpg(0, signal.SIGKILL)
        del lock

    threading.Thread(target=watch, name="end-with-keeper", daemon=True).start()


def _take_within(path: Path, seconds: float) -> IO[str] | None:
    deadline = time.monotonic() + seconds
    while (lock := _take(path, fcntl.LOCK_EX | fcntl.LOCK_NB)) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    return lock


def _take(path: Path, how: int) -> IO[str] | None:
    """The locked file, None where another holds it (or there is no folder for it yet: nobody does)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a", encoding="utf-8")
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        file.close()
        return None
    return file
