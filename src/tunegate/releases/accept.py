"""Results of changed code taken as equal by a named person: nothing runs, dvc.lock says so, and who said it stays."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tunegate.dvc.project import Project, Step
from tunegate.dvc.reasons import Staleness
from tunegate.errors import UserError
from tunegate.stages import check_stage
from tunegate.versions.decisions import refresh
from tunegate.versions.runs import Ended, Run, StageTime, record, snapshot
from tunegate.versions.tags import Message, Tag, create_tag, heads_of, now, read_tags
from tunegate.workspace import Workspace

ACCEPT = "accept"
STATE = "accepted"  # of the run's record, and of its stages


@dataclass(frozen=True)
class Accepted:
    """`code` are the changed modules by stage. The record and the tag stand in the history like a run's."""

    run: Run
    tag: Tag
    code: dict[str, tuple[str, ...]]


def accept(project: Project, pipeline: str, stages: Sequence[str], *, who: str, why: str) -> Accepted:
    """Take the stages' files (none named: of every stage whose code changed) for what the code of now makes.

    `inputs.json` must be as a run would write it. Raises UserError, before anything is written, where anything but
    code changed.
    """
    if not why.strip():
        raise UserError("Results are accepted for a reason.", "Say why they are equal (--why).")
    workspace = project.workspace
    wanted = _wanted(project, pipeline, stages)
    before = snapshot(workspace)
    if before.head is None:
        raise UserError("The repository has no commit to keep this beside.", "Make the first one with `git commit`.")
    refresh(workspace)
    for step in wanted:
        project.accept(step)
    name = f"{pipeline}-{datetime.now():%Y%m%d-%H%M%S}-{STATE}"
    done = tuple(StageTime(step.stage, STATE, 0.0) for step in wanted)
    run = record(workspace, before, Ended(name, pipeline, STATE, stages=done), [workspace.root / "dvc.lock"])
    code = {step.stage: found.code for step, found in wanted.items()}
    return Accepted(run, _tag(workspace, run, who, why), code)


def _wanted(project: Project, pipeline: str, stages: Sequence[str]) -> dict[Step, Staleness]:
    steps = {step.stage: step for step in project.steps([pipeline]) if step.pipeline == pipeline}
    for name in stages:
        if name not in steps:
            check_stage(name)
            raise UserError(f"{pipeline} has no stage {name}.", f"It has: {', '.join(steps)}.")
    found = {step: project.staleness(step) for name, step in steps.items() if not stages or name in stages}
    stale = {step: each for step, each in found.items() if each.reasons}
    fresh = [step.stage for step in found if step not in stale] if stages else []
    if fresh or not stale:
        raise UserError(f"{', '.join(fresh) or pipeline} is up to date.", "There is nothing to accept.")
    other = [
        f"{step.stage}: {'; '.join([*each.inputs, *each.outputs])}"
        for step, each in stale.items()
        if each.inputs or each.outputs
    ]
    if other:
        raise UserError(
            "More than code changed, and only equal code makes equal results:\n  " + "\n  ".join(other),
            f"\nRun what changed (`tunegate run {pipeline}`), or name just the stages of which only the code changed.",
        )
    return stale


def _tag(workspace: Workspace, run: Run, who: str, why: str) -> Tag:
    """Named after the dvc.lock that it made."""
    made = hashlib.sha256((workspace.root / "dvc.lock").read_bytes()).hexdigest()
    message = Message(
        pipeline=run.pipeline,
        what=ACCEPT,
        who=who,
        when=now(),
        why=why,
        run=run.name,
        commit=run.commit,
        verdict_hash=made,
        previous=heads_of(read_tags(workspace), run.pipeline),
    )
    stages = ", ".join(stage.name for stage in run.ended.stages)
    headline = f"Accept {stages} of {run.pipeline} as equal: {' '.join(why.split())}"
    return create_tag(workspace, f"decisions/{run.name}/{made}", headline, message)
