"""Signs of life of a stage on a worker, as labels of its flow run: who runs it and how far it is.

The same thread notices that nobody wants the work any more (cancelled, or given up as lost), or that the worker that
started this process is gone, and ends the stage.
"""

import json
import os
import signal
import socket
import threading
from typing import Any
from uuid import UUID

BEAT, WORKER, PROGRESS = "tunegate.beat", "tunegate.worker", "tunegate.progress"
SECONDS_BETWEEN_BEATS = 1.0  # two small requests each; a stage that is cancelled ends within 3 seconds


class Beats:
    """Use as a context manager around the work, in the main thread."""

    def __init__(self, flow_run: UUID) -> None:
        self._flow_run = flow_run
        self._parent = os.getppid()
        self._over = threading.Event()
        self._progress: dict[str, Any] | None = None
        self._thread = threading.Thread(target=self._beat, name="beats", daemon=True)

    def __enter__(self) -> "Beats":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def progress(self, event: dict[str, Any]) -> None:
        """How far the stage is; told with the next beat."""
        self._progress = event

    def _beat(self) -> None:
        from prefect.client.orchestration import get_client

        count = 0
        with get_client(sync_client=True) as client:
            while True:
                count += 1
                if os.getppid() != self._parent or not self._wanted(client, count):
                    os.kill(os.getpid(), signal.SIGTERM)  # Prefect raises it where the stage is waited for
                    return
                if self._over.wait(SECONDS_BETWEEN_BEATS):
                    return

    def _wanted(self, client: Any, count: int) -> bool:
        """Tell, and ask. A server that does not answer is no reason to stop: it may come back before the stage ends."""
        labels: dict[str, Any] = {BEAT: count, WORKER: socket.gethostname()}
        if self._progress is not None:
            labels[PROGRESS] = json.dumps(self._progress)
        try:
            client.update_flow_run_labels(self._flow_run, labels)
            state = client.read_flow_run(self._flow_run).state
        except Exception:  # whatever the network and the server do
            return True
        return state is None or state.is_running()
