"""The process behind `tunegate up`: it starts the server and then the worker, and starts again what dies.

    python -m flows.keeper PORT AT_ONCE        in the project's folder, leader of a session of its own

It knows no Prefect: its two children do (`served`, `working`). They, and all that they start, end with it.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import FrameType

from flows.alive import ALIVE, Kept, Process, become_keeper, folder_of, write_kept
from flows.api import Server
from flows.environment import settings_of_kept
from tunegate.errors import OutsideError
from tunegate.workspace import Workspace

SERVER, WORKER = "server", "worker"
READY = "ready"
MODULES = {SERVER: "flows.served", WORKER: "flows.working"}
READY_SECONDS = 240.0  # of the server: a first start makes the database, 15 to 20 CPU seconds on a machine at rest
SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_BETWEEN_QUESTIONS = 10.0
SILENT_QUESTIONS = 6  # so many without an answer, and the server hangs
MOST_DEATHS, WITHIN_SECONDS = 5, 600.0  # so many are no accident: stop, and say so
MOST_DEATHS_AT_FIRST = 2  # before anything was ready, with a person waiting
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0  # between a death and the next start, doubled each time
GRACE_SECONDS = 10.0  # for the server to close its database
LARGEST_LOG_BYTES = 20_000_000
OLD = ".1.log"
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h: orphans of ours come to us, not to process 1


def main(port: int, at_once: int) -> int:
    """Keep until SIGTERM. Exit status 0, 1 where it gave up, 3 where another keeper lives."""
    workspace = Workspace.find()
    locks = become_keeper(workspace)
    if locks is None:
        return 3
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    alive = Path(locks[1].name)
    keeper = Keeper(workspace, port, at_once, alive)
    signal.signal(signal.SIGTERM, keeper.asked_to_stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        keeper.keep()
    except GaveUpError as error:
        keeper.say(str(error))
        keeper.end("failed", str(error))
        return 1
    keeper.end("stopping")
    alive.unlink()
    return 0


class GaveUpError(Exception):
    """What died kept dying."""


@dataclass
class Child:
    """One of the two, and when those before it died."""

    process: subprocess.Popen[bytes]
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_DEATHS))


class Keeper:
    """Two children, started in order and looked at until it is told to stop."""

    def __init__(self, workspace: Workspace, port: int, at_once: int, alive: Path) -> None:
        self._workspace = workspace
        self._port = port
        self._stop = threading.Event()
        self._children: dict[str, Child] = {}
        self._silent = 0
        self._asked = time.monotonic()
        self._environment = {
            **os.environ,
            **settings_of_kept(workspace, port),
            "TUNEGATE_STATE": str(workspace.state),
            ALIVE: str(alive),
            "TUNEGATE_AT_ONCE": str(at_once),
        }
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        url = self._environment["PREFECT_API_URL"]
        self._kept = Kept(Process.of(os.getpid()), url, since, at_once)
        write_kept(workspace, self._kept)
        (folder_of(workspace) / READY).unlink(missing_ok=True)

    def keep(self) -> None:
        """Raises GaveUpError."""
        self._start(SERVER)
        self._wait_for_server()
        self._start(WORKER)
        while not self._stop.wait(SECONDS_BETWEEN_LOOKS):
            self._note_ready()
            self._mend()
            self._ask_server()
            self._reap_orphans()

    def asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def say(self, text: str) -> None:
        """Into the keeper's own log, which its starter has opened."""
        print(f"{datetime.now():%Y-%m-%d %H:%M:%S} {text}", flush=True)  # noqa: T201

    def end(self, state: str, why: str = "") -> None:
        """End all that was started: the worker and its runs at once, the server with time to close its database."""
        self._tell(state=state, why=why)
        server = self._children.get(SERVER)
        spared = {server.process.pid} if server else set()
        _kill_descendants(spared)
        if server is not None:
            server.process.terminate()
            try:
                server.process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                server.process.kill()
        _kill_descendants(set())
        self.say("everything has ended")
        if state != "failed":
            (folder_of(self._workspace) / "up.json").unlink(missing_ok=True)

    def _start(self, name: str) -> None:
        log = folder_of(self._workspace) / f"{name}.log"
        _keep_small(log)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", MODULES[name]],
                cwd=self._workspace.root,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deaths = self._children[name].deaths if name in self._children else deque(maxlen=MOST_DEATHS)
        self._children[name] = Child(process, deaths)
        self.say(f"started the {name}, process {process.pid}")
        self._tell(children={**self._kept.children, name: Process.of(process.pid)})

    def _note_ready(self) -> None:
        """The worker says so once it has deployed everything."""
        if self._kept.state == "starting" and (folder_of(self._workspace) / READY).exists():
            self._tell(state="ready")

    def _mend(self) -> None:
        """Start again what has died, after a pause."""
        for name, child in self._children.items():
            status = child.process.poll()
            if status is None:
                continue
            self._count_death(name, child, status)
            if self._stop.wait(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (len(child.deaths) - 1))):
                return
            self._start(name)
            if name == SERVER:
                self._wait_for_server()
            return  # the table has changed

    def _count_death(self, name: str, child: Child, status: int) -> None:
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        self.say(f"the {name}, process {child.process.pid}, has ended ({how})")
        now = time.monotonic()
        child.deaths.append(now)
        self._tell(restarts={**self._kept.restarts, name: self._kept.restarts.get(name, 0) + 1})
        recent = sum(now - death < WITHIN_SECONDS for death in child.deaths)
        if recent >= (MOST_DEATHS if self._kept.state == "ready" else MOST_DEATHS_AT_FIRST):
            raise GaveUpError(
                f"The {name} ended {recent} times in {WITHIN_SECONDS / 60:.0f} minutes, last with {how}: "
                f"see {folder_of(self._workspace) / f'{name}.log'}."
            )

    def _wait_for_server(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        server = self._children[SERVER].process
        while not self._answers():
            if self._stop.wait(0.1) or server.poll() is not None:
                return  # `keep` sees why
            if time.monotonic() > deadline:
                server.kill()
                return
        self._silent = 0

    def _ask_server(self) -> None:
        """A server that lives and does not answer for a minute is ended, and so begins anew."""
        if time.monotonic() - self._asked < SECONDS_BETWEEN_QUESTIONS:
            return
        self._asked = time.monotonic()
        for log in folder_of(self._workspace).glob("*.log"):
            _keep_small(log)
        self._silent = 0 if self._answers() else self._silent + 1
        if self._silent >= SILENT_QUESTIONS:
            self.say("the server does not answer")
            self._silent = 0
            self._children[SERVER].process.kill()

    def _answers(self) -> bool:
        try:
            Server(self._kept.url).get("health")
        except OutsideError:
            return False
        return True

    def _reap_orphans(self) -> None:
        """A run outlives its worker and becomes our child; when it ends, somebody has to take note."""
        import psutil

        own = {child.process.pid for child in self._children.values()}
        for process in psutil.Process().children():
            if process.pid not in own and process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)

    def _tell(self, **changes: object) -> None:
        self._kept = replace(self._kept, **changes)  # type: ignore[arg-type]
        write_kept(self._workspace, self._kept)


def _kill_descendants(spared: set[int]) -> None:
    """Everything below this process but the spared; orphans of the worker have become ours."""
    import psutil

    while doomed := [each for each in psutil.Process().children(recursive=True) if each.pid not in spared]:
        for process in doomed:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(doomed, timeout=5)
        _reap()


def _reap() -> None:
    """Orphans that came to us wait for somebody to take note of their end."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _keep_small(log: Path) -> None:
    """Half the space for what was before. Writers append, so they go on at the new end."""
    if log.is_file() and log.stat().st_size > LARGEST_LOG_BYTES and not log.name.endswith(OLD):
        log.with_suffix(OLD).write_bytes(log.read_bytes())
        os.truncate(log, 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
