"""A validated data version before a person: what there is to look at, and who may decide."""

import json
from dataclasses import dataclass

from tunegate.data_versions.naming import settings_of
from tunegate.errors import UserError
from tunegate.versions.data_reviews import ACCEPT, REFUSE, DataDecision, data_decisions, decide_data
from tunegate.versions.git import git, identity
from tunegate.workspace import Workspace, folder_hash


@dataclass(frozen=True)
class Waiting:
    """A validated version. `decision` is None while nobody has decided; it `waits` only where a review is required."""

    pipeline: str
    data: str
    validated: str
    accepted: bool  # by validation
    rows: int
    quarantined: int
    required: bool
    decision: DataDecision | None

    @property
    def waits(self) -> bool:
        return self.required and self.accepted and self.decision is None


def validated_data(workspace: Workspace, pipeline: str) -> Waiting:
    """What validate left in the working tree. Raises UserError before the first run."""
    settings = settings_of(workspace, pipeline)
    folder, report = workspace.stage(pipeline, "validate"), workspace.report(pipeline, "validate")
    if not (folder / "verdict.json").is_file() or not report.is_file():
        raise UserError(f"{pipeline} has no validated data yet.", f"Run it first: `tunegate run {pipeline}`.")
    said = json.loads(report.read_text(encoding="utf-8"))
    validated = folder_hash(folder)
    decisions = {one.validated: one for one in data_decisions(workspace, pipeline)}
    return Waiting(
        pipeline=pipeline,
        data=settings.data,
        validated=validated,
        accepted=json.loads((folder / "verdict.json").read_text(encoding="utf-8"))["accepted"],
        rows=said["rows"],
        quarantined=said["quarantined"],
        required=settings.review == "required",
        decision=decisions.get(validated),
    )


def decide(workspace: Workspace, pipeline: str, what: str, *, who: str | None, why: str) -> DataDecision:
    """Accept or refuse (ACCEPT, REFUSE) what validate left now. `who` is git's user where it is None.

    Raises UserError where there is nothing to decide or it is not this person's to decide, LostRaceError where
    somebody has decided already.
    """
    waiting = validated_data(workspace, pipeline)
    person = who or identity(workspace.root)
    if person is None:
        raise UserError(
            "Git does not know who you are.",
            "Tell it: `git config user.name NAME` and `git config user.email ADDRESS`.",
        )
    if not waiting.required:
        raise UserError(
            f"The data of {pipeline} waits for nobody.", f"Set `review: required` for {pipeline} in params.yaml first."
        )
    if what == ACCEPT and not waiting.accepted:
        raise UserError(
            f"Validation itself refused the data of {pipeline}.", f"See reports/{pipeline}/validate.md for the reasons."
        )
    if what == ACCEPT:
        _not_their_own(workspace, waiting, person)
    return decide_data(workspace, pipeline, waiting.validated, what, who=person, why=why)


def _not_their_own(workspace: Workspace, waiting: Waiting, who: str) -> None:
    if settings_of(workspace, waiting.pipeline).approve_own:
        return
    author = git(workspace.root, "log", "-1", "--format=%an <%ae>", "--", f"data/raw/{waiting.data}.dvc").strip()
    if author.rpartition("<")[2] == who.rpartition("<")[2]:
        raise UserError(
            f"{author} made this data version and may not accept it (approve_own: false).", "Ask somebody else."
        )


__all__ = ["ACCEPT", "REFUSE", "Waiting", "decide", "validated_data"]
