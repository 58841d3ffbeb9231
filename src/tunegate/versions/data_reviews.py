"""What named persons decided about validated data: annotated tags `decisions/data/<pipeline>/<hash of validate>`.

A decision is about that hash alone: data validated anew to another result waits again.
"""

from pydantic import BaseModel, ConfigDict, ValidationError

from tunegate.errors import UserError
from tunegate.inputs import DataReview
from tunegate.versions.git import commit_of, git
from tunegate.versions.remotes import fetch_tags, shared_remote
from tunegate.versions.tags import LostRaceError, Message, create_tag, heads_of, now, read_tags
from tunegate.workspace import Workspace

ACCEPT, REFUSE = "accept data", "refuse data"
PAST = {ACCEPT: "Accepted", REFUSE: "Refused"}
END = "\x1e\x1e"


class DataDecision(BaseModel):
    """One decision. `validated` is the hash of validate's folder, as DVC writes it."""

    model_config = ConfigDict(frozen=True)

    pipeline: str
    validated: str
    what: str
    who: str
    when: str
    why: str

    @property
    def accepted(self) -> bool:
        return self.what == ACCEPT


def reviewed(workspace: Workspace, pipeline: str) -> DataReview:
    """All decisions about the pipeline's data, as a run's inputs hold them."""
    decisions = data_decisions(workspace, pipeline)
    return DataReview(
        accepted=sorted(one.validated for one in decisions if one.accepted),
        refused={one.validated: f"{one.who}: {one.why}" for one in decisions if not one.accepted},
    )


def data_decisions(workspace: Workspace, pipeline: str) -> list[DataDecision]:
    """By the hash they are about. A tag of that name without a message of ours decides nothing."""
    pattern = f"refs/tags/decisions/data/{pipeline}/"
    out = git(workspace.root, "for-each-ref", f"--format=%(refname:lstrip=5)%00%(contents){END}", pattern)
    found = []
    for block in out.split(END):
        name, _, contents = block.lstrip("\n").partition("\0")
        body = contents.partition("\n\n")[2].partition("\n-----BEGIN ")[0]
        try:
            said = Message.model_validate_json(body)
        except ValidationError:
            continue
        if said.what in PAST and said.validated.removesuffix(".dir") == name:
            found.append(
                DataDecision(
                    pipeline=pipeline,
                    validated=said.validated,
                    what=said.what,
                    who=said.who,
                    when=said.when,
                    why=said.why,
                )
            )
    return found


def decide_data(workspace: Workspace, pipeline: str, validated: str, what: str, *, who: str, why: str) -> DataDecision:
    """Write the decision, once in the world that shares the git remote.

    Raises LostRaceError where somebody decided about that hash already, UserError without a reason.
    """
    if not why.strip():
        raise UserError("A decision needs a reason.", "Say why, for those who read it later (--why).")
    upstream = shared_remote(workspace)
    if upstream is not None:
        fetch_tags(workspace, upstream)
    commit = commit_of(workspace.root, "HEAD")
    if commit is None:
        raise UserError("There is no commit yet that the decision could stand on.", "Commit the project first.")
    _refuse_second(workspace, pipeline, validated)
    message = Message(
        pipeline=pipeline,
        what=what,
        who=who,
        when=now(),
        why=why,
        commit=commit,
        validated=validated,
        previous=heads_of(read_tags(workspace), pipeline),
    )
    headline = f"{PAST[what]} data of {pipeline}: {' '.join(why.split())}"
    try:
        create_tag(workspace, f"decisions/data/{pipeline}/{validated.removesuffix('.dir')}", headline, message)
    except LostRaceError:
        _refuse_second(workspace, pipeline, validated)
        raise
    return DataDecision(pipeline=pipeline, validated=validated, what=what, who=who, when=message.when, why=why)


def _refuse_second(workspace: Workspace, pipeline: str, validated: str) -> None:
    for standing in data_decisions(workspace, pipeline):
        if standing.validated == validated:
            done = "accepted" if standing.accepted else "refused"
            raise LostRaceError(
                f"{standing.who} {done} this data of {pipeline} at {standing.when}: {standing.why}.",
                "Data is decided about once. Another version of it can be decided about anew.",
            )
