"""What stays of a run: a commit of its own, and the version that a model which passed becomes."""

from dataclasses import replace
from pathlib import Path

from flows.job import Job
from flows.result import Kept, Result
from flows.summary import Summary, summarise
from tunegate.errors import ExitStatus, TunegateError
from tunegate.releases.registering import Registered, register_run, version_of_verdict
from tunegate.versions.decisions import DecidedError
from tunegate.versions.runs import Ended, Run, Snapshot, StageTime, read_runs, record, run_of_verdict
from tunegate.workspace import Workspace

WORK = ("ran", "restored", "failed")
STATUS = {
    ExitStatus.PASSED: "passed",
    ExitStatus.REFUSED: "refused",
    ExitStatus.UNDECIDED: "undecided",
    ExitStatus.INTERRUPTED: "interrupted",
}
"""As records and lists say it; every other exit status is `failed`."""


def keep(job: Job, before: Snapshot, result: Result) -> Kept:
    """Put the run on record, unless it redid nothing, and register what passed. Its failures never stop a run."""
    if all(stage.state not in WORK for stage in result.stages):
        return Kept()
    summary = summarise(job.workspace, result)
    try:
        run = record(job.workspace, before, ended(summary), _made(job))
    except TunegateError as error:
        return Kept(note=f"{error.problem} {error.remedy}")
    return _registered(job.workspace, run, summary) if job.registers else Kept(run.commit)


def keep_again(job: Job, run: str, now: Snapshot, result: Result) -> Kept | None:
    """Of a run that died before its record, with nothing left to do. None where it, or its verdict, is on record."""
    summary = summarise(job.workspace, replace(result, run=run))
    verdict_hash = _verdict_hash(summary)
    if any(each.name == run for each in read_runs(job.workspace, job.pipeline)):
        return None
    if verdict_hash is not None and run_of_verdict(job.workspace, job.pipeline, verdict_hash) is not None:
        return None
    try:
        kept = record(job.workspace, now, ended(summary), _made(job))
    except TunegateError as error:
        return Kept(note=f"{error.problem} {error.remedy}")
    return _registered(job.workspace, kept, summary) if job.registers else Kept(kept.commit)


def stand(workspace: Workspace, result: Result) -> Result:
    """A run with nothing to do: the version that stands, registered now where an earlier run was cut short."""
    summary = summarise(workspace, result)
    verdict_hash = _verdict_hash(summary)
    run = run_of_verdict(workspace, result.pipeline, verdict_hash) if verdict_hash and _passed(summary) else None
    if run is None:
        return result
    return Result(result.pipeline, result.stages, kept=_registered(workspace, run, summary))


def ended(summary: Summary) -> Ended:
    """The record's facts. A run that was stopped between two stages did not come to its end either."""
    result = summary.result
    status = STATUS.get(summary.status, "failed")
    if result.failure is None and any(stage.state == "not reached" for stage in result.stages):
        status = STATUS[ExitStatus.INTERRUPTED]
    stages = [
        StageTime(_name(stage.name, stage.pipeline, result.pipeline), stage.state, stage.seconds)
        for stage in result.stages
    ]
    return Ended(
        name=result.run or result.pipeline,
        pipeline=result.pipeline,
        status=status,
        verdict=summary.verdict,
        verdict_hash=_verdict_hash(summary),
        bento=summary.bento,
        stages=tuple(stages),
        problem=result.failure.problem if result.failure else "",
    )


def _name(stage: str, pipeline: str, own: str) -> str:
    return stage if pipeline == own else f"{stage}@{pipeline}"


def _made(job: Job) -> list[Path]:
    """Of every pipeline that the run walks: what git keeps and stages write."""
    workspace = job.workspace
    pipelines = dict.fromkeys(step.pipeline for step in job.steps)
    paths = [workspace.root / "dvc.lock"]
    for name in pipelines:
        inputs = workspace.inputs(name)
        paths += [inputs, inputs.with_name(".gitignore"), workspace.report(name, "gate").parent]
    return paths


def _verdict_hash(summary: Summary) -> str | None:
    found = summary.reports["gate"].get("hash") if summary.verdict else None
    return None if found is None else str(found)


def _passed(summary: Summary) -> bool:
    return summary.verdict == "PASS" and summary.bento is not None


def _registered(workspace: Workspace, run: Run, summary: Summary) -> Kept:
    """A model that a person let through already has its version; one that passed gets it now."""
    try:
        known = version_of_verdict(workspace, run)
        if known is None and _passed(summary):
            return _kept(run, register_run(workspace, run, workspace))
    except DecidedError as error:
        return Kept(run.commit, note=f"It is no version: {error.problem}")
    except TunegateError as error:
        return Kept(run.commit, note=f"It is not registered yet: {error.problem} {error.remedy}")
    return Kept(run.commit, known.name if known else None)


def _kept(run: Run, registered: Registered) -> Kept:
    return Kept(run.commit, registered.version.name, registered.live, registered.note)
