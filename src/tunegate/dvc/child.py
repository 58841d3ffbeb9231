"""The process in which one stage runs: `python -m tunegate.dvc.child ADDRESS OUTCOME [--force]`.

It leads a session of its own, so that one signal ends it with everything it started. Its standard input is a pipe
that the driver holds open and never writes to: when the driver dies, however it dies, the pipe ends and so does
this process group (a parent-death signal would be lost at the first fork).
"""

import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from tunegate.workspace import Workspace, write_atomically

RAN_MESSAGE = "Running stage '%s':"  # what DVC logs when it starts the command instead of restoring its outputs


def main(address: str, outcome: Path, force: bool) -> None:
    """Write `ran`, `restored` or `unchanged` to the file `outcome`. DVC's own failures are told on standard error."""
    end_with_driver()
    from dvc.exceptions import DvcException

    try:
        write_atomically(outcome, _reproduce(address, force))
    except DvcException as error:
        _tell(error)
        sys.exit(1)


def end_with_driver() -> None:
    """Kill this process group when standard input ends. For the stage's own process too: it may outlive this one."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="end-with-driver", daemon=True).start()


def _reproduce(address: str, force: bool) -> str:
    from tunegate.dvc.settings import open_repository

    started = _Started()
    logging.getLogger("dvc").setLevel(logging.WARNING)  # what to add to git is said once, at the end of a run
    logger = logging.getLogger("dvc.stage.run")
    logger.setLevel(logging.INFO)
    logger.addFilter(started)
    repository = open_repository(Workspace.find())
    try:
        done = repository.reproduce(address, single_item=True, force=force)
        if done and not started.seen and _is_damaged(repository, done):
            done = repository.reproduce(address, single_item=True, force=True)
        for stage in done if started.seen else ():
            # DVC leaves stages with uncached outputs out of its run cache; ours are small reports, and are meant.
            repository.stage_cache.save(stage)
    finally:
        repository.close()
    if not done:
        return "unchanged"
    return "ran" if started.seen else "restored"


def _is_damaged(repository: Any, restored: list[Any]) -> bool:
    """Whether the cache held other files than it said; then it holds them no more."""
    from tunegate.dvc.whole import forget_damaged

    damaged = forget_damaged(repository, [out for stage in restored for out in stage.outs])
    if damaged:
        print(f"{len(damaged)} files of DVC's cache were damaged and are made again", flush=True)  # noqa: T201
    return bool(damaged)


class _Started(logging.Filter):
    """Notices that DVC started the command, and keeps its chatter about that out of the log."""

    seen = False

    def filter(self, record: logging.LogRecord) -> bool:
        self.seen = self.seen or record.msg == RAN_MESSAGE
        return record.levelno >= logging.WARNING


def _tell(error: BaseException) -> None:
    """DVC wraps the cause in a sentence that only names the stage."""
    cause: BaseException | None = error
    while cause is not None:
        print(f"dvc: {cause}", file=sys.stderr)  # noqa: T201 - the driver reads it as the stage's log
        cause = cause.__cause__


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), "--force" in sys.argv[3:])
