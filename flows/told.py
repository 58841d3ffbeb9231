"""What Prefect is told of a run: log lines, progress, reports, the summary. Telling never stops the work."""

import time
from collections.abc import Callable
from io import StringIO
from typing import Any

from flows.job import Job
from tunegate.dvc.project import Step
from tunegate.dvc.running import Listener, Stopped

SECONDS_BETWEEN_UPDATES = 2.0  # each is a request to the server


def listener(step: Step, stopped: Stopped) -> Listener:
    """Lines to the task run's log, progress to an artifact. Call it within the task."""
    from prefect.logging import get_run_logger

    logger = get_run_logger()
    return Listener(logger.info, _Bar(step).show, stopped)


class Lines(StringIO):
    """What a run by hand prints, for the log of a deployed one. A stage's own lines are told by its task."""

    def write(self, text: str) -> int:
        from prefect.context import TaskRunContext

        if text.strip() and TaskRunContext.get() is None:
            self.say(text.rstrip("\n"))
        return len(text)

    def say(self, text: str) -> None:
        """A line to the flow run's log."""
        from prefect.logging import get_run_logger

        get_run_logger().info(text)


class _Bar:
    """A stage's progress artifact, made with its first event."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._artifact: Any = None
        self._told = 0.0

    def show(self, event: dict[str, Any]) -> None:
        share = 100.0 * event["done"] / max(1, event["total"])
        now = time.monotonic()
        if share < 100 and now - self._told < SECONDS_BETWEEN_UPDATES:
            return
        self._told = now
        _tell(lambda: self._update(share, f"{event['done']:,} of {event['total']:,} {event['what']}"))

    def _update(self, share: float, words: str) -> None:
        from prefect.artifacts import create_progress_artifact, update_progress_artifact

        if self._artifact is None:
            key = f"{self._step.pipeline}-{self._step.stage}-progress"
            self._artifact = create_progress_artifact(share, key=key, description=words)
        else:
            update_progress_artifact(self._artifact, share, description=words)


def report(job: Job, step: Step) -> None:
    """The stage's report for people, as an artifact of its task run."""
    path = job.workspace.report(step.pipeline, step.stage, ".md")
    if path.is_file():
        markdown(f"{step.pipeline}-{step.stage}", path.read_text(encoding="utf-8"), f"What {step.address} reports")


def markdown(key: str, text: str, what: str) -> None:
    """`key`: lower case, digits and dashes."""
    from prefect.artifacts import create_markdown_artifact

    _tell(lambda: create_markdown_artifact(text, key=key, description=what))


def _tell(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception as error:  # a busy or vanished server must not cost a trained model
        from prefect.logging import get_run_logger

        get_run_logger().warning("an artifact was not written: %s", error)
