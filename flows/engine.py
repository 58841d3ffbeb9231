"""The process of one deployed run: Prefect's own engine, which ends with the keeper of `tunegate up`."""

import os
import runpy
from pathlib import Path

from flows.alive import ALIVE, end_with_keeper

LOG = "runs.log"


def log_to_file() -> None:
    """Say what is said into the keeper's folder, not into the worker's pipe: a run goes on when its worker dies, and
    Prefect's log lines, written into a broken pipe, would end it."""
    path = os.environ.get(ALIVE)
    if not path:
        return
    with Path(path).with_name(LOG).open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


if __name__ == "__main__":
    end_with_keeper()
    log_to_file()
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
