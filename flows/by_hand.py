"""The Prefect flow of a run by hand: over steps that the command line has prepared, in the person's own tree."""

from contextvars import ContextVar
from typing import Any

from prefect import flow, tags
from prefect.client.schemas.objects import State

from flows.cancel import heeding
from flows.job import Job
from flows.result import Failure, Result
from flows.walk import Walk, is_of_server, lost_server, name_of_now
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
        if is_of_server(error):
            walk.failure = walk.failure or (None if walk.done else Failure.of(lost_server()))
            if walk.failure is None:
                job.say("Prefect's server went away and does not know of the run's end; all is done and on record")
            return walk.result()
        walk.failure = walk.failure or Failure.of(error)
        if not isinstance(error, (OutsideError, KeyboardInterrupt)):
            raise
    finally:
        _given.reset(token)
    return walk.result()


_given: ContextVar[Walk] = ContextVar("given")
