"""A run hears that it is to be cancelled, whoever says so: from Prefect's page, its API or `tunegate cancel`.

A worker tells only the runs that it started itself and still holds; this asks the server, so that a run by hand and
one whose worker died are stopped as well.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flows.api import Server
from tunegate.errors import OutsideError

SECONDS_BETWEEN_QUESTIONS = 1.0
STOPPED = ("CANCELLING", "CANCELLED")


@contextmanager
def heeding() -> Iterator[Callable[[], bool]]:
    """Within a flow: a function that says whether somebody has cancelled its run."""
    from prefect.runtime import flow_run

    cancelled, over = threading.Event(), threading.Event()
    server, path = Server(os.environ["PREFECT_API_URL"]), f"flow_runs/{flow_run.id}"

    def watch() -> None:
        while not over.wait(SECONDS_BETWEEN_QUESTIONS) and not cancelled.is_set():
            try:
                state = server.get(path)["state_type"]
            except OutsideError:  # a server that restarts is asked again
                continue
            if state in STOPPED:
                cancelled.set()

    threading.Thread(target=watch, name="heeding", daemon=True).start()
    try:
        yield cancelled.is_set
    finally:
        over.set()
