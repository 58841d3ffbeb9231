"""One run per pipeline at a time. DVC's own lock fails with "is busy" and does not see threads; this one waits."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from tunegate.errors import OutsideError, UserError
from tunegate.pipelines import pipelines_of
from tunegate.workspace import Workspace


@contextmanager
def locked(workspace: Workspace, pipelines: Sequence[str], say: Callable[[str], None]) -> Iterator[bool]:
    """Hold the pipelines' locks, taken in the given order; yields whether another run was waited for.

    The kernel gives a lock back when its holder dies, however it dies.
    """
    folder = workspace.state / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        waited = [stack.enter_context(_locked(folder / f"{name}.lock", name, say)) for name in pipelines]
        yield any(waited)


@contextmanager
def _locked(path: Path, pipeline: str, say: Callable[[str], None]) -> Iterator[bool]:
    with path.open("a+", encoding="utf-8") as file:
        waited = not _try(file)
        if waited:
            say(f"waiting for another run of {pipeline}{_holder(file)} to end")
            with _told(path, pipeline):
                fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "since": datetime.now().strftime("%H:%M:%S")}, file)
        file.flush()
        yield waited


@contextmanager
def alone(workspace: Workspace) -> Iterator[None]:
    """Hold every lock there is, so that nothing else works here. Raises OutsideError where something does.

    It does not wait: two that each wait with a lock in their hands would wait for ever.
    """
    folder = workspace.state / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    known = [folder / f"{name}.lock" for name in _pipelines(workspace)]
    there = [*folder.glob("*.lock"), *(workspace.state / "worktrees").glob("*.lock")]
    with ExitStack() as stack:
        for path in dict.fromkeys([*known, *sorted(there)]):
            file = stack.enter_context(path.open("a+", encoding="utf-8"))
            if not _try(file):
                raise OutsideError(
                    f"{path.stem} is in use by another command{_holder(file)}.", "Wait until it ends, then try again."
                )
        yield


def _pipelines(workspace: Workspace) -> list[str]:
    """None of a params.yaml with mistakes: no run starts from that either."""
    try:
        return list(pipelines_of(workspace))
    except UserError:
        return []


@dataclass(frozen=True)
class Wait:
    """A process that waits for a pipeline's lock. `since` is a time of day."""

    pid: int
    pipeline: str
    since: str

    def words(self) -> str:
        """As lists show it."""
        return f"process {self.pid} for another run of {self.pipeline}, since {self.since}"


@contextmanager
def _told(lock: Path, pipeline: str) -> Iterator[None]:
    """While it waits, a file beside the lock says so."""
    path = lock.with_name(f"{lock.stem}.{os.getpid()}.waits")
    path.write_text(json.dumps(asdict(Wait(os.getpid(), pipeline, datetime.now().strftime("%H:%M:%S")))))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def waits(workspace: Workspace) -> Iterator[Wait]:
    """Who waits now. What a killed process left behind is taken away."""
    import psutil

    for path in sorted((workspace.state / "locks").glob("*.waits")):
        try:
            wait = Wait(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):  # it has just got the lock, or is just writing
            continue
        if psutil.pid_exists(wait.pid):
            yield wait
        else:
            path.unlink(missing_ok=True)


def _try(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: IO[str]) -> str:
    """Who holds it, in words; empty in the moment before the holder has written it down."""
    file.seek(0)
    try:
        holder = json.load(file)
        return f" (process {holder['pid']}, since {holder['since']})"
    except (ValueError, TypeError, KeyError):
        return ""
