"""A run that passed becomes a version, and goes where the settings send it."""

import json
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from tunegate.errors import UserError
from tunegate.exported import read_manifest
from tunegate.inputs import read_inputs
from tunegate.versions.decisions import (
    DecidedError,
    Decision,
    StaleDecisionError,
    decision_about,
    same_champion,
)
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
    """The run's version: the one that its verdict or its very model has already, else a new one. `files` is the tree
    that it ran in.

    Raises DecidedError where a person has rejected this verdict, OutsideError where the shared git remote cannot be
    had.
    """
    known = version_of_verdict(workspace, run) or version_of_model(workspace, run, decision)
    if known is not None:
        return Registered(known, new=False)
    standing = decision_about(workspace, run.pipeline, run.ended.verdict_hash or "")
    if standing is not None and standing.what == "reject":
        raise DecidedError(standing)
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


def version_of_model(workspace: Workspace, run: Run, decision: Decision | None = None) -> Version | None:
    """The newest version of the very same export: judged anew (by other settings or rows) it is the same model.

    What was forced shows as forced for ever, so that a forced model and one that passed are two versions. None where
    that version was rejected: it cannot go out, and the new verdict is another one.
    """
    made = lineage_at(workspace, run.commit, run.pipeline).get("export")
    export = made.made.get(f"data/{run.pipeline}/export") if made else None
    registry, forced = read_registry(workspace), decision is not None and decision.what == "force"
    same = [
        version
        for version in registry.of(run.pipeline)
        if export and version.said is not None and version.said.export == export and version.forced == forced
    ]
    return next((version for version in reversed(same) if registry.rejection(version) is None), None)


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
