"""A run that passed becomes a version, and goes where the settings send it."""

import json
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from tunegate.errors import UserError
from tunegate.exported import read_manifest
from tunegate.inputs import read_inputs
from tunegate.versions.decisions import Decision, StaleDecisionError, same_champion
from tunegate.versions.git import file_at
from tunegate.versions.lineage import lineage_at, training_of
from tunegate.versions.registry import Version, assign, read_registry, register
from tunegate.versions.runs import Run
from tunegate.versions.tags import LostRaceError, Message, now
from tunegate.workspace import Workspace

ADOPT = "adopt"
FIRST_ADOPTED = (0, 1, 0)  # below the first that a pipeline makes itself


@dataclass(frozen=True)
class Registered:
    """`live` is the environment that it went to by itself; `note` says why it did not go where the settings say."""

    version: Version
    new: bool
    live: str | None = None
    note: str = ""


class _Gate(BaseModel):
    """What a registration reads of gate.json."""

    model_config = ConfigDict(extra="ignore")

    improved_on_best: bool = False


def register_run(workspace: Workspace, run: Run, files: Workspace, decision: Decision | None = None) -> Registered:
    """The run's version: the one that its verdict has already, else a new one. `files` is the tree that it ran in.

    Raises OutsideError where the shared git remote cannot be had.
    """
    known = version_of_verdict(workspace, run)
    if known is not None:
        return Registered(known, new=False)
    version = register(workspace, _facts(workspace, run, files, decision))
    wanted = str(read_inputs(files.inputs(run.pipeline)).params.get("promote", "manual"))
    if wanted == "manual" or version.forced:
        return Registered(version, new=True)
    try:
        same_champion(workspace, run)
        assign(workspace, version, wanted, who=run.who, why=f"promote: {wanted}")
    except (StaleDecisionError, LostRaceError) as error:
        return Registered(version, new=True, note=f"It did not go to {wanted} by itself: {error.problem}")
    return Registered(version, new=True, live=wanted)


def register_adopted(workspace: Workspace, run: Run, files: Workspace, *, who: str, why: str) -> Version:
    """A model that was trained elsewhere: v0.1.0, or the next number. Raises UserError for one that is registered."""
    known = version_of_verdict(workspace, run)
    if known is not None:
        raise UserError(f"{known.name} is this very model.", "`tunegate versions show` says more of it.")
    message = _facts(workspace, run, files, None).model_copy(update={"what": ADOPT, "who": who, "why": why})
    return register(workspace, message, FIRST_ADOPTED)


def version_of_verdict(workspace: Workspace, run: Run) -> Version | None:
    """The version that was registered for this very verdict."""
    found = (version for version in read_registry(workspace).of(run.pipeline) if version.said is not None)
    return next((each for each in found if each.said and each.said.verdict_hash == run.ended.verdict_hash), None)


def _facts(workspace: Workspace, run: Run, files: Workspace, decision: Decision | None) -> Message:
    manifest = read_manifest(files.stage(run.pipeline, "export"))
    lineage = lineage_at(workspace, run.commit, run.pipeline)
    gate = json.loads(file_at(workspace.root, run.commit, f"reports/{run.pipeline}/gate.json") or b"{}")
    return Message(
        pipeline=run.pipeline,
        what=decision.what if decision else "register",
        who=decision.who if decision else run.who,
        when=now(),
        why=decision.why if decision else "the gate said PASS",
        run=run.name,
        commit=run.commit,
        verdict=run.ended.verdict or "",
        verdict_hash=run.ended.verdict_hash or "",
        bento=run.ended.bento,
        export=lineage["export"].made[f"data/{run.pipeline}/export"],
        validated=lineage["validate"].made[f"data/{run.pipeline}/validate"],
        trained=training_of(lineage),
        task=manifest.task,
        labels=manifest.labels,
        improved_on_best=_Gate.model_validate(gate).improved_on_best,
        decision=decision.tag.name if decision else "",
    )
