"""Whether a data version waits for a person, and what was decided about it."""

from dataclasses import dataclass

from tunegate.data_versions.review import Waiting, validated_data
from tunegate.errors import UserError
from tunegate.review.language import Language
from tunegate.review.snapshots import Snapshot
from tunegate.versions.data_reviews import ACCEPT, DataDecision, data_decisions
from tunegate.workspace import Workspace


@dataclass(frozen=True)
class ReviewShown:
    """`said` is a sentence for the page; `waits` while nobody has decided and the settings ask for it."""

    waits: bool
    said: str


def review_of(snapshot: Snapshot, language: Language) -> ReviewShown | None:
    """Of the working tree's data: whether it waits. Of any: what was decided, else None."""
    if snapshot.commit is None:
        waiting = waiting_of(snapshot.workspace, snapshot.pipeline)
        if waiting is None:
            return None
        if waiting.waits:
            return ReviewShown(True, language.say("data.waits"))
        return _decided(waiting.decision, language)
    validated = snapshot.hashes().get(f"data/{snapshot.pipeline}/validate", "")
    known = data_decisions(snapshot.workspace, snapshot.pipeline)
    return _decided(next((one for one in known if one.validated == validated), None), language)


def waiting_of(workspace: Workspace, pipeline: str) -> Waiting | None:
    """What validate left in the working tree; None before the first run."""
    try:
        return validated_data(workspace, pipeline)
    except UserError:
        return None


def _decided(decision: DataDecision | None, language: Language) -> ReviewShown | None:
    if decision is None:
        return None
    what = language.say("data.was.accept" if decision.what == ACCEPT else "data.was.refuse")
    said = language.say("data.reviewed", who=decision.who, what=what, when=decision.when, why=decision.why)
    return ReviewShown(False, said)
