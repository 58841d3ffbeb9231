"""A training in a process of its own that kills itself with SIGKILL: `python -m tests.training.killed FOLDER THREADS
WHEN [DEVICE PRECISION [SETTINGS]]`, where WHEN is `step:N` (at the first look at or after step N) or `saving:N` (while
step N's checkpoint is written), and SETTINGS are changes as JSON."""

import io
import json
import os
import signal
import sys
from pathlib import Path

from tests.training.learning import learning
from tunegate.training.compute import Compute


class Killing(io.StringIO):
    """A log that ends its own process once it is told of a step."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step


def main(folder: str, threads: str, when: str, *more: str) -> None:
    device, precision, changes = (*more, *("cpu", "fp32", "{}")[len(more) :])
    kind, _, step = when.partition(":")
    compute = Compute(device, precision, int(threads))  # type: ignore[arg-type]
    work = learning(Path(folder), compute=compute, threads=int(threads), **json.loads(changes))
    if kind == "saving":
        sys.addaudithook(lambda event, details: _kill_at_rename(event, details, f"step-{int(step):08d}"))
    else:
        progress = work.training.progress
        progress.advance = lambda what, done, *_: done >= int(step) and _kill()  # type: ignore[method-assign,assignment]
    work.fit()


def _kill_at_rename(event: str, details: tuple[object, ...], name: str) -> None:
    if event == "os.rename" and str(details[1]).endswith(name):
        _kill()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
