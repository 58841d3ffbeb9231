"""The Prefect flow `run`: one task per stage, in the order and with the hints that DVC's graph gives.

Imported only where something is stale and Prefect's environment is set; see `start` and `environment`.
"""

import sys
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from prefect import Task, flow
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import told
from flows.job import Job
from flows.record import keep
from flows.result import Failure, Kept, Result, StageResult
from flows.start import Order, opened
from flows.summary import summarise
from tunegate.bento import packaged_bento
from tunegate.bento.building import store
from tunegate.dvc.project import Step
from tunegate.errors import ExitStatus, OutsideError
from tunegate.versions.runs import Snapshot, snapshot
from tunegate.workspace import Workspace

FINAL_NAMES = {
    ExitStatus.PASSED: "Completed",
    ExitStatus.REFUSED: "Rejected",
    ExitStatus.UNDECIDED: "Undecided",
}
"""How a finished run reads in Prefect's lists, by its exit status."""

STOPPED_NAMES = {ExitStatus.REFUSED: "Refused", ExitStatus.UNDECIDED: "Waiting"}
"""How one that a stage stopped reads, where it did not fail."""


@flow(name="run", persist_result=False)
def run(pipeline: str, force: list[str] | None = None) -> State[Any]:
    """One pipeline, as a deployment or `walk_flow` starts it."""
    if walk := _given.get(None):
        return walk.steps()
    order = Order((pipeline,), frozenset(force or ()))
    with opened(Workspace.find(), order, sys.stderr) as (job,):
        return Walk(job, snapshot(job.workspace)).steps()


def walk_flow(job: Job, before: Snapshot) -> Result:
    """Run the job's stale steps as a flow run. Failures and interruptions stand in the result."""
    walk = Walk(job, before)
    token = _given.set(walk)
    try:
        run.with_options(flow_run_name=walk.name)(job.pipeline, sorted(job.force), return_state=True)
    except (Exception, KeyboardInterrupt) as error:
        walk.failure = walk.failure or Failure.of(error)
        if not isinstance(error, (OutsideError, KeyboardInterrupt)):
            raise
    finally:
        _given.reset(token)
    return walk.result()


class Walk:
    """One flow run over a job's steps. What became of them is collected here: Prefect keeps no results."""

    def __init__(self, job: Job, before: Snapshot) -> None:
        self.job = job
        self.name = f"{job.pipeline}-{datetime.now().strftime('%Y%m%d-%H%M%S')}"
        self.kept = Kept()
        self._before = before  # the tree, for the run's record
        self.done: dict[str, StageResult] = {}
        self.failure: Failure | None = None
        self._error: BaseException | None = None  # of the step at hand, for the decision to try it again

    def steps(self) -> State[Any]:
        """Within the flow: all steps, until one fails. However it ends, the run stays on record."""
        try:
            self._steps()
        finally:
            self.kept = keep(self.job, self._before, self.result())
        return self._final_state()

    def _steps(self) -> None:
        states: dict[str, State[Any]] = {}
        for step in self.job.steps:
            upstream = [states[name] for name in step.upstream if name in states]
            states[step.address] = self._task(step)(wait_for=upstream, return_state=True)
            if not states[step.address].is_completed():
                break

    def result(self) -> Result:
        missing = [step for step in self.job.steps if step.address not in self.done]
        stages = [*self.done.values(), *(StageResult(step.stage, step.pipeline, "not reached") for step in missing)]
        return Result(self.job.pipeline, tuple(stages), self.name, self.failure, kept=self.kept)

    def _task(self, step: Step) -> "Task[[], State[Any]]":
        def run_stage() -> State[Any]:
            return self._run(step)

        return Task(
            run_stage,
            name=step.stage if step.pipeline == self.job.pipeline else step.address,
            task_run_name=step.stage if step.pipeline == self.job.pipeline else step.address,
            tags=[f"pool:{step.hints.pool}", f"pipeline:{step.pipeline}"],
            retries=step.hints.retries,
            retry_delay_seconds=step.hints.retry_seconds,
            retry_condition_fn=self._worth_another_try(),
            cache_policy=NO_CACHE,
            persist_result=False,
        )

    def _worth_another_try(self) -> Callable[..., bool]:
        return lambda *_: isinstance(self._error, OutsideError)

    def _run(self, step: Step) -> State[Any]:
        """Within a task: the step, and the state that says what became of it."""
        self.failure = self._error = None
        why = self.job.reasons(step)
        if not why:
            self.done[step.address] = StageResult(step.stage, step.pipeline, "unchanged")
            return Completed(name="Unchanged", message="Inputs, settings and code are those of its last run.")
        try:
            done = self.job.do(step, why, told.listener(step))
        except BaseException as error:
            self.failure, self._error = Failure.of(error), error
            self.done[step.address] = StageResult(step.stage, step.pipeline, "failed", why=tuple(why))
            raise
        self.done[step.address] = done
        told.report(self.job, step)
        name = {"restored": "Restored", "unchanged": "Unchanged"}.get(done.state, "Completed")
        return Completed(name=name, message=f"Because {'; '.join(why)}."[:1000])

    def _final_state(self) -> State[Any]:
        summary = summarise(self.job.workspace, self.result())
        told.markdown(f"{self.job.pipeline}-summary", summary.markdown())
        if self.failure is not None:
            name = STOPPED_NAMES.get(self.failure.status, "Failed")
            return Failed(name=name, message=f"{self.failure.problem} {self.failure.remedy}")
        if summary.bento:  # so that BentoML's own commands (list, containerize) find it by its tag
            store(packaged_bento(self.job.workspace, self.job.pipeline), self.job.workspace)
        return Completed(name=FINAL_NAMES[summary.status], message=summary.headline)


_given: ContextVar[Walk] = ContextVar("given")  # the walk that the command line has prepared
