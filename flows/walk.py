"""The walk of the Prefect flow `run`: one task per stage, in the order and with the hints that DVC's graph gives.

Imported only where Prefect's environment is set. The flow itself stands in `by_hand` and in `deployed`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.exceptions import TerminationSignal
from prefect.states import Cancelled, Completed, Failed

from flows import told
from flows.job import Job
from flows.record import keep
from flows.recover import begin, settled
from flows.result import Failure, Kept, Result, StageResult
from flows.summary import summarise
from tunegate.bento import packaged_bento
from tunegate.bento.building import store
from tunegate.dvc.project import Step
from tunegate.dvc.running import Stopped, StoppedError, never
from tunegate.errors import ExitStatus, OutsideError
from tunegate.versions.runs import Snapshot

FINAL_NAMES = {
    ExitStatus.PASSED: "Completed",
    ExitStatus.REFUSED: "Rejected",
    ExitStatus.UNDECIDED: "Undecided",
}
"""How a finished run reads in Prefect's lists, by its exit status."""

STOPPED_NAMES = {ExitStatus.REFUSED: "Refused", ExitStatus.UNDECIDED: "Waiting"}
"""How one that a stage stopped reads, where it did not fail."""


def name_of_now(pipeline: str) -> str:
    """A run's name, in Prefect and on record."""
    return f"{pipeline}-{datetime.now():%Y%m%d-%H%M%S}"


def is_of_server(error: BaseException | None) -> bool:
    """Whether it, or what it came from, is an error of the libraries by which Prefect talks to its server."""
    while error is not None:
        if type(error).__module__.partition(".")[0] in ("httpx", "httpcore", "websockets"):
            return True
        error = error.__cause__ or error.__context__
    return False


def lost_server() -> OutsideError:
    return OutsideError("Prefect's server went away during the run.", "Run again: what was finished is kept.")


class Walk:
    """One flow run over a job's steps. What became of them is collected here: Prefect keeps no results."""

    def __init__(self, job: Job, before: Snapshot, name: str) -> None:
        self.job = job
        self.name = name
        self.kept = Kept()
        self._stopped: Stopped = never
        self._before = before  # the tree, for the run's record
        self.done: dict[str, StageResult] = {}
        self.failure: Failure | None = None
        self._error: BaseException | None = None  # of the step at hand, for the decision to try it again

    def steps(self, stopped: Stopped) -> State[Any]:
        """Within the flow: all steps, until one fails. However it ends, the run stays on record."""
        self._stopped = stopped
        begin(self.job.workspace, self.job.pipeline, self.name)
        try:
            self._steps()
        except BaseException as error:  # between two steps: what the reports still say is another run's
            self.failure = self.failure or Failure.of(lost_server() if is_of_server(error) else error)
            raise
        finally:
            self.kept = keep(self.job, self._before, self.result())
            settled(self.job.workspace, self.job.pipeline)
        return self._final_state()

    def _steps(self) -> None:
        states: dict[str, State[Any]] = {}
        for step in self.job.steps:
            upstream = [states[name] for name in step.upstream if name in states]
            states[step.address] = self._task(step)(wait_for=upstream, return_state=True)
            if not states[step.address].is_completed():
                # A task that could not even begin has not said why: it never counts as done.
                self.failure = self.failure or Failure.of(RuntimeError(str(states[step.address].message)))
                break
            if self._stopped():
                self.failure = Failure.of(StoppedError())
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
        why: list[str] = []
        try:
            why = self.job.reasons(step)
            if not why:
                self.done[step.address] = StageResult(step.stage, step.pipeline, "unchanged")
                return Completed(name="Unchanged", message="Inputs, settings and code are those of its last run.")
            done = self.job.do(step, why, told.listener(step, self._stopped))
        except BaseException as error:
            # A worker that is told to cancel a run says so by SIGTERM, which Prefect raises in the midst of a stage.
            told_to_stop = isinstance(error, TerminationSignal)
            self.failure, self._error = Failure.of(StoppedError() if told_to_stop else error), error
            self.done[step.address] = StageResult(step.stage, step.pipeline, "failed", why=tuple(why))
            if isinstance(error, StoppedError):
                return Cancelled(message=self.failure.problem)
            raise
        self.done[step.address] = done
        told.report(self.job, step)
        name = {"restored": "Restored", "unchanged": "Unchanged"}.get(done.state, "Completed")
        return Completed(name=name, message=f"Because {'; '.join(why)}."[:1000])

    def _final_state(self) -> State[Any]:
        summary = summarise(self.job.workspace, self.result())
        told.markdown(f"{self.job.pipeline}-summary", summary.markdown(), f"What became of {self.name}")
        if self.failure is not None and self.failure.status == ExitStatus.INTERRUPTED:
            return Cancelled(message=f"{self.failure.problem} {self.failure.remedy}")
        if self.failure is not None:
            name = STOPPED_NAMES.get(self.failure.status, "Failed")
            return Failed(name=name, message=f"{self.failure.problem} {self.failure.remedy}")
        if (
            summary.bento and self.job.registers
        ):  # so that BentoML's own commands (list, containerize) find it by its tag
            store(packaged_bento(self.job.workspace, self.job.pipeline), self.job.workspace)
        return Completed(name=FINAL_NAMES[summary.status], message=summary.headline)
