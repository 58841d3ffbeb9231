"""What became of a run: each stage's state, the failure if there was one, and the exit status."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tunegate.dvc.running import CrashedError, StoppedError
from tunegate.errors import ExitStatus, TunegateError, of_machine
from tunegate.versions.decisions import rejection_of
from tunegate.workspace import Workspace

State = Literal["ran", "restored", "unchanged", "stale", "failed", "not reached"]
"""`stale` only in a plan: the stage would run."""

WORST_FIRST = (
    ExitStatus.INTERRUPTED,
    ExitStatus.BUG,
    ExitStatus.MISTAKE,
    ExitStatus.OUTSIDE,
    ExitStatus.REFUSED,
    ExitStatus.UNDECIDED,
    ExitStatus.PASSED,
)

OF_VERDICT = {"PASS": ExitStatus.PASSED, "FAIL": ExitStatus.REFUSED, "UNDECIDED": ExitStatus.UNDECIDED}


@dataclass(frozen=True)
class StageResult:
    """`pipeline` is another than the run's own where a run walks what it is built on."""

    name: str
    pipeline: str
    state: State
    seconds: float = 0.0
    why: tuple[str, ...] = ()  # it ran, or would run


@dataclass(frozen=True)
class Failure:
    """Why a run stopped, as its exit status and two sentences."""

    status: ExitStatus
    problem: str
    remedy: str

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        if isinstance(error, TunegateError):
            return cls(ExitStatus(error.status), error.problem, error.remedy)
        if (outside := of_machine(error)) is not None:
            return cls.of(outside)
        if isinstance(error, CrashedError):
            return cls(ExitStatus.BUG, error.problem, error.remedy)
        if isinstance(error, StoppedError):
            return cls(ExitStatus.INTERRUPTED, "The run was cancelled.", "A next run goes on from its last checkpoint.")
        if isinstance(error, KeyboardInterrupt):
            return cls(ExitStatus.INTERRUPTED, "The run was interrupted.", "Run the same command to go on from here.")
        return cls(ExitStatus.BUG, repr(error), "This is a fault of ours; please report it with the log above.")


@dataclass(frozen=True)
class Kept:
    """What stays of a run: its commit, and the version that its model became. `note` is for people."""

    commit: str | None = None
    version: str | None = None
    live: str | None = None  # the environment that it went to by itself
    note: str = ""


@dataclass(frozen=True)
class Result:
    """One pipeline's run. `run` is its name in Prefect, None when nothing was to be done."""

    pipeline: str
    stages: tuple[StageResult, ...]
    run: str | None = None
    failure: Failure | None = None
    planned: bool = False  # a dry run
    kept: Kept = Kept()

    @property
    def interrupted(self) -> bool:
        return self.failure is not None and self.failure.status == ExitStatus.INTERRUPTED


def exit_status(workspace: Workspace, result: Result) -> ExitStatus:
    """The failure's, else the standing verdict's, also when nothing was to be done."""
    if result.failure is not None:
        return result.failure.status
    if result.planned:
        return ExitStatus.PASSED
    if rejection_of(workspace, result.pipeline) is not None:
        return ExitStatus.REFUSED  # by a person, whatever the gate said
    package = workspace.report(result.pipeline, "package")
    if package.is_file() and json.loads(package.read_text(encoding="utf-8")).get("packaged"):
        return ExitStatus.PASSED  # it passed, or a named person approved it
    gate = workspace.report(result.pipeline, "gate")
    if not gate.is_file():
        return ExitStatus.PASSED  # a pipeline without a gate
    return OF_VERDICT[json.loads(gate.read_text(encoding="utf-8"))["verdict"]]


def worst(statuses: Iterable[ExitStatus]) -> ExitStatus:
    """Of several pipelines."""
    return min(statuses, key=WORST_FIRST.index, default=ExitStatus.PASSED)
