"""A stage at a worker as the driver sees it through Prefect: sent or found again, followed, given up.

Imported only within a flow, whose server both sides know.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterTags,
    LogFilter,
    LogFilterFlowRunId,
    LogFilterTimestamp,
)
from prefect.client.schemas.objects import FlowRun, State, WorkerStatus
from prefect.client.schemas.sorting import FlowRunSort, LogSort
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling, Crashed

from flows.beats import BEAT, PROGRESS, WORKER
from flows.stage_states import LINES, error_of
from tunegate.dvc.project import Step
from tunegate.dvc.running import CrashedError, Listener, StoppedError
from tunegate.errors import OutsideError

SECONDS_BETWEEN_LOOKS = 1.0
LATE = timedelta(seconds=20)  # log lines come in batches, some after newer ones
MOST_LINES = 200  # that the server gives at once


@contextmanager
def errand(name: str, step: Step, listener: Listener) -> Iterator["Errand"]:
    """`name` says which work it is. Where the block fails, the worker is told to stop."""
    with get_client(sync_client=True) as client:
        opened = Errand(client, name, step, listener)
        try:
            yield opened
        except httpx.HTTPError as error:
            problem = f"Prefect's server failed while {step.address} was at its worker: {error!r}."
            listener.line(problem)
            remedy = "Look at the server, then run again: what the worker makes is found again."
            raise OutsideError(problem, remedy) from error
        except OutsideError as error:
            listener.line(error.problem)  # said here too, since the next try may succeed
            opened.call_off()
            raise
        except BaseException:
            opened.call_off()
            raise


class Errand:
    """All flow runs of the same work have the same tag, whoever asked for it."""

    def __init__(self, client: SyncPrefectClient, name: str, step: Step, listener: Listener) -> None:
        self._client, self._step, self._listener = client, step, listener
        self._tag = f"stage:{name}"
        self._attempts = 0
        self._run: FlowRun | None = None
        self._lines = _Lines(client, listener)
        self._shown: object = None  # how far it was, when that was last told

    @property
    def commit(self) -> str:
        """That was asked."""
        return str(self._at_hand.parameters["commit"])

    @property
    def _at_hand(self) -> FlowRun:
        assert self._run is not None
        return self._run

    def is_at_work(self) -> bool:
        """Whether somebody asked before, and a worker has it or will have it."""
        wanted = FlowRunFilter(tags=FlowRunFilterTags(all_=[self._tag]))
        runs = self._client.read_flow_runs(flow_run_filter=wanted, sort=FlowRunSort.EXPECTED_START_TIME_DESC)
        self._attempts = len(runs)
        self._run = next((run for run in runs if run.state and not run.state.is_final()), None)
        if self._run is not None:
            self._listener.line(f"an earlier run sent {self._step.address} to {self._pool}: it is followed from here")
        return self._run is not None

    @property
    def _pool(self) -> str:
        return f"the pool {self._step.hints.pool}"

    def send(self, commit: str) -> None:
        """Two drivers who send the same attempt at once send one. Raises OutsideError where the pool has no worker."""
        step = self._step
        try:
            sent: Any = run_deployment(
                f"run-stage/{step.hints.pool}",
                parameters={"commit": commit, "stage": step.stage, "pipeline": step.pipeline},
                flow_run_name=f"{step.address}-{commit[:8]}",
                tags=[self._tag, f"pipeline:{step.pipeline}", f"pool:{step.hints.pool}"],
                idempotency_key=f"{self._tag}-{self._attempts}",
                timeout=0,
            )
            self._run = sent
        except ObjectNotFound as error:
            raise OutsideError(
                f"{step.address} is to run on {self._pool}, for which no worker was ever started.",
                f"Start one on the machine that has the GPU: `tunegate worker {step.hints.pool}`.",
            ) from error

    def follow(self) -> None:
        """Until the stage has ended. Raises what it raised, OutsideError where its worker is lost or none comes."""
        patience = _Patience(self._step)
        state = self._look(patience)
        while not state.is_final():
            if self._listener.stopped():
                raise StoppedError
            if problem := patience.is_over(self._at_hand):
                self._give_up(problem)
            if patience.wonders and state.is_scheduled():
                self._say_what_is_waited_for()
            time.sleep(SECONDS_BETWEEN_LOOKS)
            state = self._look(patience)
        with suppress(httpx.HTTPError):  # the last lines are not worth the stage
            self._lines.hear(self._at_hand, last=True)
        if not state.is_completed():
            raise self._error(state)

    def _look(self, patience: "_Patience") -> "State[Any]":
        """How it stands; a server that is away for a moment changes nothing."""
        try:
            self._run = self._client.read_flow_run(self._at_hand.id)
            self._lines.hear(self._at_hand)
            patience.answered()
        except httpx.HTTPError:
            patience.unanswered()
        progress = self._at_hand.labels.get(PROGRESS)
        if progress not in (None, self._shown):
            self._shown = progress
            self._listener.progress(json.loads(str(progress)))
        state: State[Any] | None = self._at_hand.state
        assert state is not None
        return state

    def _say_what_is_waited_for(self) -> None:
        with suppress(httpx.HTTPError):
            self._listener.line(self._waited_for())

    def _waited_for(self) -> str:
        workers = self._client.read_workers_for_work_pool(self._step.hints.pool)
        online = [worker.name for worker in workers if worker.status == WorkerStatus.ONLINE]
        if online:
            return f"waiting for {self._pool}: {', '.join(online)} must end another stage first"
        return f"waiting for {self._pool}: no worker is online (start one: tunegate worker {self._step.hints.pool})"

    def _give_up(self, problem: str) -> None:
        """A worker that comes back finds that nobody waits for it."""
        lost: State[Any] = Crashed(message=problem)
        self._client.set_flow_run_state(self._at_hand.id, lost, force=True)
        self._run = None
        raise OutsideError(problem, "Look at that machine (or start another worker), then run again.")

    def _error(self, state: State[Any]) -> Exception:
        worker = self._at_hand.labels.get(WORKER, "?")
        if state.is_cancelled():
            return CrashedError(
                f"{self._step.address} was cancelled on its worker {worker}.", "Run again when it is wanted."
            )
        if state.is_crashed():
            return OutsideError(
                f"The worker {worker} lost the process of {self._step.address}: {state.message}.",
                "Look at that machine's memory and log, then run again: it goes on from its last checkpoint there.",
            )
        return error_of(str(state.name), state.message or "")

    def call_off(self) -> None:
        """Nobody waits for it any more: the worker ends it."""
        run, self._run = self._run, None
        if run is None or (run.state and run.state.is_final()):
            return
        with suppress(httpx.HTTPError):
            self._client.set_flow_run_state(run.id, Cancelling(message="The run that asked for it was stopped."))


class _Patience:
    """How long the driver goes on: until a worker has taken the stage, and while a worker says nothing."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._beat: object = None
        self._since = time.monotonic()  # it was sent, or gave its last sign of life
        self._away: float | None = None  # since when the server has not answered
        self._asked = False

    @property
    def wonders(self) -> bool:
        """Once: whether to say what is waited for."""
        now = not self._asked and time.monotonic() - self._since > 5
        self._asked = self._asked or now
        return now

    def answered(self) -> None:
        self._away = None

    def unanswered(self) -> None:
        self._away = self._away or time.monotonic()

    def is_over(self, run: FlowRun) -> str | None:
        """Why it is to be given up."""
        now, hints, address = time.monotonic(), self._step.hints, self._step.address
        if self._away is not None:
            self._since = now  # a worker that cannot be heard is not lost
            if now - self._away > hints.lost_seconds:
                raise httpx.ConnectError(f"no answer for {hints.lost_seconds:.0f} seconds")
            return None
        beat = run.labels.get(BEAT)
        if beat != self._beat:
            self._beat, self._since = beat, now
        silent = now - self._since
        if beat is None and silent > hints.wait_seconds:
            return f"No worker of the pool {hints.pool} took {address} within {hints.wait_seconds:.0f} seconds."
        if beat is not None and silent > hints.lost_seconds:
            worker = run.labels.get(WORKER)
            return (
                f"The worker {worker} has said nothing of {address} for {hints.lost_seconds:.0f} seconds: it is lost."
            )
        return None


class _Lines:
    """The stage's log lines, each once, in their order."""

    def __init__(self, client: SyncPrefectClient, listener: Listener) -> None:
        self._client, self._listener = client, listener
        self._heard: set[Any] = set()
        self._newest: Any = None

    def hear(self, run: FlowRun, *, last: bool = False) -> None:
        """`last`: the stage has ended, and its last lines may still be on their way."""
        self._hear(run)
        if last:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            self._hear(run)

    def _hear(self, run: FlowRun) -> None:
        since = None if self._newest is None else LogFilterTimestamp(after_=self._newest - LATE)
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]), timestamp=since)
        offset = 0
        while True:
            found = self._client.read_logs(wanted, limit=MOST_LINES, offset=offset, sort=LogSort.TIMESTAMP_ASC)
            for line in found:
                self._newest = line.timestamp
                if line.name == LINES and line.id not in self._heard:
                    self._heard.add(line.id)
                    self._listener.line(line.message)
            offset += len(found)
            if len(found) < MOST_LINES:
                return
