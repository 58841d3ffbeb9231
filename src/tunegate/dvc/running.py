"""One stage in a process of its own: started, followed line by line, and ended with everything it started."""

import contextlib
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from tunegate.dvc.noise import is_noise
from tunegate.dvc.project import Step
from tunegate.errors import ExitStatus, OutsideError, RefusedError, TunegateError, UserError, WaitingError
from tunegate.progress import MARK
from tunegate.workspace import Workspace

GRACE_SECONDS = 2.0  # between asking a process group to end and killing it
SECONDS_BETWEEN_LOOKS = 0.5  # at the clock and the process, while it says nothing
LINES_KEPT = 20  # of a crashed stage's output, for the error message

KILLED = re.compile(
    r"exited with (-9|137)\b"
)  # as DVC says of a stage that SIGKILL ended; 137 where a shell waited for it

FULL = re.compile(r"No space left on device|Disk quota exceeded|database or disk is full")
READ_ONLY = re.compile(r"Read-only file system")

QUIET = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",  # a stage reads what DVC tracks and nothing else
    "BENTOML_DO_NOT_TRACK": "True",
    "GX_ANALYTICS_ENABLED": "false",
}
"""For every stage, unless the person set them: no telemetry, no model hub."""

State = Literal["ran", "restored", "unchanged"]


Stopped = Callable[[], bool]
"""Whether somebody has asked that the stage be stopped."""


def never() -> bool:
    """Nobody asks that it be stopped."""
    return False


@dataclass(frozen=True)
class Listener:
    """What hears of a running stage: lines of its log, and how far it is; and says whether it is to stop."""

    line: Callable[[str], None]
    progress: Callable[[dict[str, Any]], None] = field(default=lambda event: None)
    stopped: Stopped = never


class StoppedError(Exception):
    """The stage was ended because its listener asked for it."""


class CrashedError(Exception):
    """The stage ended without saying why in our own words: a bug, or killed from outside. Exit status 1."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


def run_step(workspace: Workspace, step: Step, listener: Listener, *, force: bool = False) -> State:
    """Run the step unless DVC can restore its result. Ends the whole process group on any exception.

    Raises the stage's own UserError, RefusedError or OutsideError, OutsideError after its timeout, CrashedError,
    StoppedError.
    """
    with tempfile.TemporaryDirectory(prefix="tunegate-") as folder:
        outcome, failure = Path(folder) / "outcome", Path(folder) / "failure.json"
        process = _start(workspace, step, outcome, failure, force)
        tail: deque[str] = deque(maxlen=LINES_KEPT)
        try:
            _follow(process, listener, tail, step)
        finally:
            _end(process)
        if process.returncode == 0 and outcome.is_file():
            return _state(outcome.read_text(encoding="utf-8"))
        raise _failure(failure, step, tail)


def _start(workspace: Workspace, step: Step, outcome: Path, failure: Path, force: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tunegate.dvc.child", step.address, str(outcome), *(["--force"] if force else [])]
    environment = {
        **QUIET,
        "HF_HOME": str(workspace.state / "huggingface"),
        **os.environ,
        "TUNEGATE_STATE": str(workspace.state),
        "PYTHONPATH": os.pathsep.join(_sources(workspace)),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "TUNEGATE_PROGRESS": "json",
        "TUNEGATE_FAILURE": str(failure),
        "TUNEGATE_DRIVEN": "1",  # the stage's process watches standard input too
    }
    return subprocess.Popen(
        command,
        cwd=workspace.root,
        env=environment,
        stdin=subprocess.PIPE,  # held open while we live; see child.py
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _sources(workspace: Workspace) -> list[str]:
    """The tree's own code first: what dvc.yaml hashes is what runs, in a worktree too."""
    own = [workspace.root / "src", workspace.root] if (workspace.root / "src" / "tunegate").is_dir() else []
    inherited = os.environ.get("PYTHONPATH")
    return [*map(str, own), *([inherited] if inherited else [])]


def _follow(process: subprocess.Popen[bytes], listener: Listener, tail: deque[str], step: Step) -> None:
    """Hand on what the stage says until it has closed its output."""
    limit = step.hints.timeout_seconds
    deadline = time.monotonic() + limit if limit is not None else None
    assert process.stdout is not None
    for line in _lines(process, process.stdout, deadline, listener.stopped):
        if line is None:
            raise OutsideError(
                f"The stage {step.address} was stopped after {limit:,.0f} seconds, its timeout.",
                "Run again to go on from its last checkpoint, or raise `timeout` under its `meta:` in dvc.yaml.",
            )
        if line.startswith(MARK):
            listener.progress(json.loads(line[1:]))
        else:
            tail.append(line)
            listener.line(line)
    process.wait()


def _lines(
    process: subprocess.Popen[bytes], stream: IO[bytes], deadline: float | None, stopped: Stopped
) -> Iterator[str | None]:
    """Complete lines as they come, until the process is gone; None once the deadline has passed.

    Raises StoppedError.
    """
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if stopped():
                raise StoppedError
            if deadline is not None and time.monotonic() > deadline:
                yield None
            gone = process.poll() is not None  # asked before reading: what it wrote last is still in the pipe
            if not selector.select(0 if gone else SECONDS_BETWEEN_LOOKS):
                if gone:
                    break  # something that it left behind may hold the pipe open
                continue
            block = os.read(stream.fileno(), 65536)
            if not block:
                break
            *lines, rest = (rest + block).split(b"\n")
            yield from (line.decode(errors="replace") for line in lines)
    if rest:
        yield rest.decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing that the stage started outlives it: the group is asked to end, then killed."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    _signal(process, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _state(text: str) -> State:
    if text not in ("ran", "restored", "unchanged"):
        raise ValueError(f"the stage's process reported {text!r}")
    return text  # type: ignore[return-value]


def _failure(path: Path, step: Step, tail: deque[str]) -> Exception:
    """DVC turns every exit status into 255, so the stage wrote its own down."""
    kinds: dict[int, type[TunegateError]] = {
        ExitStatus.MISTAKE: UserError,
        ExitStatus.REFUSED: RefusedError,
        ExitStatus.UNDECIDED: WaitingError,
        ExitStatus.OUTSIDE: OutsideError,
    }
    if path.is_file():
        told = json.loads(path.read_text(encoding="utf-8"))
        return kinds.get(told["status"], UserError)(told["problem"], told["remedy"])
    for sign, what, remedy in (
        (FULL, "found no room on the disk", "Make room (`tunegate gc` says what may go)"),
        (READ_ONLY, "may not write where it must", "Mount it writable"),
    ):
        if any(sign.search(line) for line in tail):
            said = next(line for line in reversed(tail) if sign.search(line)).strip()
            return OutsideError(
                f"The stage {step.address} {what}: {said}.", f"{remedy}, then run again: what was finished is kept."
            )
    if any(KILLED.search(line) for line in tail):
        return CrashedError(
            f"The stage {step.address} was killed from outside, most often because the machine ran out of memory.",
            "Make room (or lower train.batch_size) and run again: it goes on from its last checkpoint.",
        )
    last = "\n  ".join(line for line in tail if not is_noise(line))
    return CrashedError(
        f"The stage {step.address} ended with an error. Its last lines:\n  {last}",
        "\nThis is a fault of ours or of the machine; the log above says where.",
    )
