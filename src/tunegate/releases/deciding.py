"""Approve, reject and force: decided once, then packaged in a worktree of the run's own commit and registered."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tunegate.bento import packaged_bento
from tunegate.bento.building import store
from tunegate.dvc.project import Step
from tunegate.dvc.running import Listener, run_step
from tunegate.dvc.worktrees import bring_inputs
from tunegate.inputs import read_inputs
from tunegate.releases.registering import Registered, register_run, version_of_verdict
from tunegate.releases.worktree import worktree
from tunegate.versions.decisions import PAST, DecidedError, Decision, check, decide
from tunegate.versions.references import approval
from tunegate.versions.runs import Ended, Run, StageTime, record_after
from tunegate.workspace import Workspace

Say = Callable[[str], None]


@dataclass(frozen=True)
class Released:
    """What a person let through: the run that packaged it, and its version."""

    decision: Decision
    run: Run
    registered: Registered


def reject(workspace: Workspace, run: Run, *, who: str, why: str, verdict_hash: str | None = None) -> Decision:
    """Keep on record that the model does not go out. Raises what `decide` raises."""
    return decide(workspace, run, verdict_hash or run.ended.verdict_hash or "", "reject", who=who, why=why)


def approve(
    workspace: Workspace, run: Run, *, who: str, why: str, say: Say, verdict_hash: str | None = None
) -> Released:
    """Let an undecided model through, package it and register its version.

    `verdict_hash` is the verdict that the person looked at (default: the run's). An approval whose packaging was cut
    short goes on here. Raises what `decide` raises, RefusedError when the packaged service does not answer as judged.
    """
    return _release(workspace, run, _decided(workspace, run, verdict_hash, Wish("approve", who, why), say), say)


def force(workspace: Workspace, run: Run, *, who: str, why: str, say: Say, verdict_hash: str | None = None) -> Released:
    """The same for a refused model; its version shows as forced for ever, and goes nowhere by itself."""
    return _release(workspace, run, _decided(workspace, run, verdict_hash, Wish("force", who, why), say), say)


@dataclass(frozen=True)
class Wish:
    """What a person wants decided."""

    what: str
    who: str
    why: str


def _decided(workspace: Workspace, run: Run, verdict_hash: str | None, wish: Wish, say: Say) -> Decision:
    asked = verdict_hash or run.ended.verdict_hash or ""
    try:
        return decide(workspace, run, asked, wish.what, who=wish.who, why=wish.why)
    except DecidedError as error:
        decision = error.decision
        if decision.what != wish.what or version_of_verdict(workspace, run) is not None:
            raise
        say(f"{decision.who} {PAST[decision.what]} it at {decision.when}; its packaging goes on")
        return decision


def may_decide(workspace: Workspace, run: Run, what: str, *, who: str) -> None:
    """Whether the person could decide this now. Raises what `decide` would."""
    check(workspace, run, run.ended.verdict_hash or "", what, who=who, why="asked")


def _release(workspace: Workspace, run: Run, decision: Decision, say: Say) -> Released:
    step = Step("package", run.pipeline)
    with worktree(workspace, decision.tag.commit) as tree:
        inputs = tree.inputs(run.pipeline)
        agreed = approval(decision.who, decision.why, decision.verdict_hash, decision.what)
        read_inputs(inputs).model_copy(update={"approval": agreed}).write(inputs)
        bring_inputs(tree, step)
        start = time.monotonic()
        state = run_step(tree, step, Listener(say))
        stage = StageTime("package", state, time.monotonic() - start)
        store(packaged_bento(tree, run.pipeline), workspace)
        packaged = record_after(tree, run, _ended(tree, run, decision, stage), _made(tree, run.pipeline))
        registered = register_run(workspace, packaged, tree, decision)
    return Released(decision, packaged, registered)


def _made(tree: Workspace, pipeline: str) -> list[Path]:
    return [tree.root / "dvc.lock", tree.inputs(pipeline), tree.report(pipeline, "package").parent]


def _ended(tree: Workspace, run: Run, decision: Decision, stage: StageTime) -> Ended:
    report = json.loads(tree.report(run.pipeline, "package").read_text(encoding="utf-8"))
    did = PAST[decision.what]
    return replace(run.ended, name=f"{run.name}-{did}", status=did, bento=report["tag"], stages=(stage,))
