"""Starting the processes that train together, and their end: a helper lives no longer than the process that leads.

The leader holds each helper's standard input open; when the leader dies, however it dies, that pipe ends and the
helper kills itself. A helper that dies ends the training: its own words are the failure, where it had any.
"""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tunegate.errors import ExitStatus, TunegateError
from tunegate.training.team import ALONE, Team

PLACE = "TUNEGATE_TEAM"  # of a helper: its number, the size, the device, and the file where all meet
FAILURE = "TUNEGATE_FAILURE"  # where a stage's process writes its own failure
GRACE_SECONDS = 5.0
SECONDS_BETWEEN_LOOKS = 0.2
PATIENCE = timedelta(days=1)  # one process may encode all rows while the others wait; a dead one is noticed otherwise


def is_helper() -> bool:
    return PLACE in os.environ


@contextmanager
def together(command: Sequence[str], size: int, device: str, root: Path | None = None) -> Iterator[Team]:
    """The leader's team; `command` starts a helper, in the folder `root`. Raises a helper's own failure."""
    if size == 1:
        yield ALONE
        return
    with tempfile.TemporaryDirectory(prefix="tunegate-team-") as name:
        folder = Path(name)
        helpers = [_start(command, folder, Team(number, size), device, root) for number in range(1, size)]
        over = threading.Event()
        threading.Thread(target=_end_with, args=(helpers, over), daemon=True).start()
        try:
            with meeting(folder / "meeting", Team(0, size), device) as team:
                yield team
        except TunegateError:
            raise
        except Exception as error:
            raise _failure(helpers, folder) or error from error
        finally:
            over.set()
            _end(helpers)


@contextmanager
def joined() -> Iterator[Team]:
    """The helper's team, as its environment says."""
    threading.Thread(target=_end_with_leader, daemon=True).start()
    number, size, device, place = os.environ[PLACE].split(" ", 3)
    with meeting(Path(place), Team(int(number), int(size)), device) as team:
        yield team


@contextmanager
def meeting(place: Path, team: Team, device: str) -> Iterator[Team]:
    import torch
    from torch import distributed

    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # this machine alone
    if device == "cuda":
        torch.cuda.set_device(team.number)
    distributed.init_process_group(
        "nccl" if device == "cuda" else "gloo",
        init_method=f"file://{place}",
        rank=team.number,
        world_size=team.size,
        timeout=PATIENCE,
    )
    try:
        yield team
    finally:
        distributed.destroy_process_group()


def _start(
    command: Sequence[str], folder: Path, team: Team, device: str, root: Path | None
) -> "subprocess.Popen[bytes]":
    environment = {name: value for name, value in os.environ.items() if name != "TUNEGATE_DRIVEN"}
    environment[PLACE] = f"{team.number} {team.size} {device} {folder / 'meeting'}"
    environment[FAILURE] = str(folder / f"failure-{team.number}.json")
    return subprocess.Popen(command, cwd=root, env=environment, stdin=subprocess.PIPE)


def _end_with(helpers: "list[subprocess.Popen[bytes]]", over: threading.Event) -> None:
    """Between GPUs the others wait for a dead process without end."""
    while not over.wait(SECONDS_BETWEEN_LOOKS):
        if any(helper.poll() for helper in helpers) and not over.wait(GRACE_SECONDS):
            print("A process that trained with this one is gone, and this one hangs: it ends.", flush=True)  # noqa: T201
            os._exit(1)


def _failure(helpers: "list[subprocess.Popen[bytes]]", folder: Path) -> Exception | None:
    """What a helper that ended before us says of it, or what ended it; None where none did."""
    deadline = time.monotonic() + GRACE_SECONDS
    while not any(helper.poll() for helper in helpers):
        if time.monotonic() > deadline:
            return None
        time.sleep(SECONDS_BETWEEN_LOOKS)
    for path in sorted(folder.glob("failure-*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        failure = TunegateError(told["problem"], told["remedy"])
        failure.status = ExitStatus(told["status"])
        return failure
    ended = ", ".join(str(helper.returncode) for helper in helpers if helper.returncode)
    return RuntimeError(
        f"A process that trained with this one ended with {ended} (-9: killed from outside, most often because memory "
        "ran out). Run again: it goes on from the last checkpoint."
    )


def _end(helpers: "list[subprocess.Popen[bytes]]") -> None:
    """They end by themselves; a pipe that ends tells those that do not."""
    deadline = time.monotonic() + GRACE_SECONDS
    for helper in helpers:
        with contextlib.suppress(subprocess.TimeoutExpired):
            helper.wait(max(0.0, deadline - time.monotonic()))
        assert helper.stdin is not None
        helper.stdin.close()
        helper.kill()
        helper.wait()


def _end_with_leader() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    os.kill(os.getpid(), signal.SIGKILL)
