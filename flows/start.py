"""A run, from its command to its end: everything that needs no Prefect, and Prefect only where something is stale."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TextIO

from flows.environment import use_prefect
from flows.job import Job, Say
from flows.locks import alone, locked
from flows.prepare import bring_files, inputs_put_back, settings_of, track_edits, write_inputs
from flows.record import keep_again, stand
from flows.recover import cut_short, last_words, mended_lock, recover, settled
from flows.result import Failure, Result, StageResult
from tunegate.data_versions.switching import settle
from tunegate.dvc.project import Project
from tunegate.errors import OutsideError, UserError, did_you_mean
from tunegate.versions.durations import past_seconds
from tunegate.versions.runs import read_runs, snapshot
from tunegate.workspace import Workspace, clear_unfinished


@dataclass(frozen=True)
class Order:
    """What a person asked for. No pipelines: all of them."""

    pipelines: tuple[str, ...] = ()
    force: frozenset[str] = frozenset()
    dry: bool = False
    registers: bool = True  # versions of what passes


def start(workspace: Workspace, order: Order, stream: TextIO) -> list[Result]:
    """Run the pipelines one after the other. Failures stand in the results; mistakes before the first stage raise."""
    with opened(workspace, order, stream) as jobs:
        results = []
        for job in jobs:
            results.append(_run(job, order.dry))
            if results[-1].interrupted:
                break
        return results


@contextmanager
def opened(workspace: Workspace, order: Order, stream: TextIO) -> Iterator[list[Job]]:
    """The order's jobs, with settings checked, locks held, data and inputs in place."""
    settings = settings_of(workspace)
    names = _chosen(order.pipelines, list(settings))

    say = partial(print, file=stream, flush=True)
    with locked(workspace, _with_upstream(workspace, names, say), say), closing(Project(workspace)) as project:
        involved = _involved(project, names)
        if not order.dry:
            recover(workspace, involved, say)
        for data in settle(workspace):
            say(f"an interrupted `tunegate data add` of data/raw/{data} is settled")
        for name in involved:
            for stage in clear_unfinished(workspace.inputs(name).parent):
                say(f"half-made files of {stage}@{name} are removed: a run was killed while it made them")
        chosen = [settings[name] for name in involved]
        bring_files(workspace, chosen, say)
        settings_of(workspace)  # once more: a base model that has just come knows what can be changed in it
        if not order.dry:
            track_edits(project, chosen, say)
        with inputs_put_back(workspace, involved) if order.dry else nullcontext():
            for name in involved:
                write_inputs(project, settings[name], name, say, anew=_decides(order.force), dry=order.dry)
            resources = {name: settings[name].resources for name in involved}
            yield [
                Job(workspace, project, name, order.force, stream, resources, registers=order.registers)
                for name in names
            ]


def _run(job: Job, dry: bool) -> Result:
    plan = tuple(job.plan())
    if dry:
        return Result(job.pipeline, _timed(job.workspace, plan), planned=True)
    if all(stage.state == "unchanged" for stage in plan):
        return _standing(job, Result(job.pipeline, plan))
    if cut_short(job.workspace, job.pipeline) is None and (words := last_words(job.workspace, job.pipeline)):
        job.say(words)
    before = snapshot(job.workspace)
    try:
        use_prefect(job.workspace, job.say)
        from flows.by_hand import walk_flow

        return walk_flow(job, before)
    except (OutsideError, KeyboardInterrupt) as error:  # the server did not start, or was waited for too long
        return Result(job.pipeline, plan, failure=Failure.of(error))


def _standing(job: Job, result: Result) -> Result:
    """Nothing is to be done; a run that was stopped between its last stage and its record comes on record now."""
    left = cut_short(job.workspace, job.pipeline)
    if left is not None:
        kept = keep_again(job, left.run, snapshot(job.workspace), result)
        settled(job.workspace, job.pipeline)
        if kept is not None:
            job.say(f"all stages of {left.run} were done; it is on record now")
            return replace(result, kept=kept)
    return stand(job.workspace, result) if job.registers else result


def _timed(workspace: Workspace, plan: tuple[StageResult, ...]) -> tuple[StageResult, ...]:
    """With the seconds that each stale stage took when it last ran: 0 of one that never did."""
    past = past_seconds(read_runs(workspace))
    return tuple(
        replace(stage, seconds=past.get(f"{stage.name}@{stage.pipeline}", 0.0)) if stage.state == "stale" else stage
        for stage in plan
    )


def _decides(force: frozenset[str]) -> bool:
    """Whether a stage is forced whose result depends on what the model is compared with."""
    return bool(force - {"gate", "package"})


def _chosen(asked: Sequence[str], known: Sequence[str]) -> list[str]:
    for name in asked:
        if name not in known:
            raise UserError(
                f'There is no pipeline "{name}".{did_you_mean(name, known)}',
                f"Choose one of: {', '.join(known)}; or add it with `tunegate new`.",
            )
    return list(dict.fromkeys(asked or known))


def _with_upstream(workspace: Workspace, names: Sequence[str], say: Say) -> list[str]:
    try:
        with closing(Project(workspace)) as project:
            return _involved(project, names)
    except UserError:
        if not _mended(workspace, say):
            raise
    return _with_upstream(workspace, names, say)


def _mended(workspace: Workspace, say: Say) -> bool:
    """Whether dvc.lock can be read again. While others run it is theirs to write."""
    try:
        with alone(workspace):
            return mended_lock(workspace, say)
    except OutsideError:
        return False


def _involved(project: Project, names: Sequence[str]) -> list[str]:
    """The pipelines and those they are built on, in the graph's order, in which every run takes their locks."""
    return list(dict.fromkeys(step.pipeline for step in project.steps(names)))
