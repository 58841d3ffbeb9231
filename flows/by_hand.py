"""The Prefect flow of a run by hand: over steps that the command line has prepared, in the person's own tree."""

from contextvars import ContextVar
from typing import Any

from prefect import flow, tags
from prefect.client.schemas.objects import State

from flows.cancel import heeding
from flows.job import Job
from flows.result import Failure, Result
from flows.walk import Walk, name_of_now
from tunegate.errors import OutsideError
from tunegate.versions.runs import Snapshot


@flow(name="run", persist_result=False, description="One pipeline, from changed input to verdict.")
def run(pipeline: str, force: list[str]) -> State[Any]:
    """The parameters are for the eye: the walk knows them."""
    with heeding() as stopped:
        return _given.get().steps(stopped)


def walk_flow(job: Job, before: Snapshot) -> Result:
    """Run the job's stale steps as a flow run. Failures and interruptions stand in the result."""
    walk = Walk(job, before, name_of_now(job.pipeline))
    token = _given.set(walk)
    try:
        with tags(f"pipeline:{job.pipeline}", "by hand"):
            run.with_options(flow_run_name=walk.name)(job.pipeline, sorted(job.force), return_state=True)
    except (Exception, KeyboardInterrupt) as error:
        if _is_of_the_connection(error):
            _without_server(walk)
            return walk.result()
        walk.failure = walk.failure or Failure.of(error)
        if not isinstance(error, (OutsideError, KeyboardInterrupt)):
            raise
    finally:
        _given.reset(token)
    return walk.result()


def _without_server(walk: Walk) -> None:
    """The server died. Where all stages are done, it only was not told."""
    if walk.failure is None and all(step.address in walk.done for step in walk.job.steps):
        walk.job.say("Prefect's server went away and does not know of this run's end; everything is done and on record")
        return
    walk.failure = walk.failure or Failure.of(
        OutsideError("Prefect's server went away during the run.", "Run again: what was finished is kept.")
    )


def _is_of_the_connection(error: BaseException | None) -> bool:
    """Whether it, or what it came from, is an error of the libraries by which Prefect talks to its server."""
    while error is not None:
        if type(error).__module__.partition(".")[0] in ("httpx", "httpcore", "websockets"):
            return True
        error = error.__cause__ or error.__context__
    return False


_given: ContextVar[Walk] = ContextVar("given")
