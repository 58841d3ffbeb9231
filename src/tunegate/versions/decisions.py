"""What people decide about a verdict. One function writes it, once; nothing carries over to another verdict."""

import json
from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from tunegate.errors import UserError
from tunegate.inputs import Reference
from tunegate.versions.git import file_at, identity
from tunegate.versions.registry import read_registry
from tunegate.versions.remotes import fetch_tags, shared_remote
from tunegate.versions.runs import Run
from tunegate.versions.tags import DECISION, LostRaceError, Message, Tag, create_tag, heads_of, now, read_tags
from tunegate.workspace import Workspace

What = Literal["approve", "reject", "force"]
DECIDES: dict[str, tuple[str, ...]] = {
    "approve": ("UNDECIDED",),
    "force": ("FAIL",),
    "reject": ("UNDECIDED", "FAIL", "PASS"),
}
"""The verdicts that each decision is about."""

PAST = {"approve": "approved", "reject": "rejected", "force": "forced"}


class StaleDecisionError(UserError):
    """The verdict compared with a champion that is no longer the champion."""


class DecidedError(LostRaceError):
    """Somebody has decided already. `decision` is what stands."""

    def __init__(self, decision: "Decision") -> None:
        did = PAST.get(decision.what, decision.what)
        super().__init__(
            f"{decision.who} {did} {decision.run} at {decision.when}: {decision.why}.",
            "A verdict is decided once. Run the pipeline again to have another one.",
            decision.tag,
        )
        self.decision = decision


@dataclass(frozen=True)
class Decision:
    """What stands about one verdict of one run."""

    run: str
    verdict_hash: str
    what: str
    who: str
    why: str
    when: str
    tag: Tag


class _Recorded(BaseModel):
    """The part of a run's inputs.json that decisions look at; other versions of tunegate may have other fields."""

    model_config = ConfigDict(extra="ignore")

    params: dict[str, object] = {}
    champion: Reference | None = None


def decide(workspace: Workspace, run: Run, verdict_hash: str, what: str, *, who: str, why: str) -> Decision:
    """Write down what a person decides about a run's verdict, once in the world that shares the git remote.

    Raises DecidedError where it is decided, StaleDecisionError where the champion has changed since, UserError where
    the decision is not about this verdict or not this person's to make.
    """
    refresh(workspace)
    check(workspace, run, verdict_hash, what, who=who, why=why)
    name = f"decisions/{run.name}/{verdict_hash}"
    message = Message(
        pipeline=run.pipeline,
        what=what,
        who=who,
        when=now(),
        why=why,
        run=run.name,
        commit=run.commit,
        verdict=run.ended.verdict or "",
        verdict_hash=verdict_hash,
        previous=heads_of(read_tags(workspace), run.pipeline),
    )
    try:
        tag = create_tag(workspace, name, f"{PAST[what].capitalize()} {run.name}: {' '.join(why.split())}", message)
    except LostRaceError as error:
        standing = decision_about(workspace, run.pipeline, verdict_hash)
        raise DecidedError(standing) if standing else error from error
    return _decision(tag, message)


def check(workspace: Workspace, run: Run, verdict_hash: str, what: str, *, who: str, why: str) -> None:
    """Whether the decision may be made now, without making it. Raises what `decide` raises."""
    if what not in get_args(What):
        raise UserError(f"{what!r} is no decision.", f"Choose one of: {', '.join(get_args(What))}.")
    if not why.strip():
        raise UserError("A decision needs a reason.", "Say why, for those who read it later (--why).")
    if run.ended.verdict_hash is None or run.ended.verdict is None:
        raise UserError(
            f"{run.name} has no verdict to decide about ({run.ended.status}).", "`tunegate runs` lists runs."
        )
    if verdict_hash != run.ended.verdict_hash:
        raise UserError(
            f"The verdict of {run.name} is {run.ended.verdict_hash[:12]}, not {verdict_hash[:12]}.",
            "Look at the run's verdict again and decide about that.",
        )
    standing = decision_about(workspace, run.pipeline, verdict_hash)
    if standing is not None:
        raise DecidedError(standing)
    if run.ended.verdict not in DECIDES[what]:
        raise UserError(f"The verdict of {run.name} is {run.ended.verdict}.", _instead(run.ended.verdict))
    if what == "reject":
        _not_while_live(workspace, run)
        return
    same_champion(workspace, run)
    _not_their_own(run, _recorded(workspace, run), who)


def _not_while_live(workspace: Workspace, run: Run) -> None:
    """What is live is taken back first: a rejection says that a model does not go out, and cannot call it back."""
    registry = read_registry(workspace)
    for version in registry.of(run.pipeline):
        same = version.said is not None and version.said.verdict_hash == run.ended.verdict_hash
        if same and (places := registry.live(version)):
            raise UserError(
                f"{version.name} is live in {', '.join(places)}.",
                f"Make another version live first: `tunegate versions rollback {run.pipeline} "
                f"--environment {places[0]}`, or promote another; then reject this one.",
            )


def _instead(verdict: str) -> str:
    if verdict == "PASS":
        return "What passed needs no approval: `tunegate versions promote` makes it live, `reject` keeps it from that."
    if verdict == "FAIL":
        return "A refused model is let through only by force (`--force`), which shows for ever."
    return "What is undecided is approved or rejected, not forced."


def same_champion(workspace: Workspace, run: Run) -> None:
    """Raises StaleDecisionError where another version is live than the run was compared with."""
    recorded = _recorded(workspace, run)
    champion = read_registry(workspace).champion(run.pipeline)
    then = recorded.champion.hash if recorded.champion else None
    is_now = champion.said.export if champion is not None and champion.said is not None else None
    if then != is_now:
        compared = (recorded.champion.version if recorded.champion else None) or "no champion"
        raise StaleDecisionError(
            f"{run.name} was compared with {compared}, and {champion.name if champion else 'nothing'} is live now.",
            f"Compare it with the new champion first: `tunegate run {run.pipeline} --force evaluate`.",
        )


def _not_their_own(run: Run, recorded: _Recorded, who: str) -> None:
    if recorded.params.get("approve_own", True) is False and _mail(who) == _mail(run.who):
        raise UserError(
            f"{run.name} is your own run ({run.who}), and `approve_own: false` leaves it to somebody else.",
            "Ask a colleague to look at it.",
        )


def _mail(who: str) -> str:
    return who.rpartition("<")[2].rstrip(">").strip().casefold()


def _recorded(workspace: Workspace, run: Run) -> _Recorded:
    content = file_at(workspace.root, run.commit, f"data/{run.pipeline}/inputs.json")
    return _Recorded.model_validate(json.loads(content)) if content else _Recorded()


def decision_about(workspace: Workspace, pipeline: str, verdict_hash: str) -> Decision | None:
    """What stands about this verdict, whichever of the runs that came to it was decided about."""
    return next((each for each in read_decisions(workspace, pipeline) if each.verdict_hash == verdict_hash), None)


def rejection_of(workspace: Workspace, pipeline: str) -> Decision | None:
    """Of the verdict that stands in `reports/`: what a person said who rejected it; None where nobody did."""
    path = workspace.report(pipeline, "gate")
    if not path.is_file() or not (workspace.root / ".git").exists():
        return None
    standing = decision_about(workspace, pipeline, json.loads(path.read_text(encoding="utf-8")).get("hash") or "none")
    return standing if standing is not None and standing.what == "reject" else None


def read_decisions(workspace: Workspace, pipeline: str | None = None) -> list[Decision]:
    """All of them, newest first."""
    found = [
        _decision(tag, tag.message)
        for tag in read_tags(workspace)
        if DECISION.fullmatch(tag.name) and tag.message is not None and pipeline in (None, tag.message.pipeline)
    ]
    return sorted(found, key=lambda decision: decision.when, reverse=True)


def _decision(tag: Tag, said: Message) -> Decision:
    return Decision(said.run, said.verdict_hash, said.what, said.who, said.why, said.when, tag)


def refresh(workspace: Workspace) -> None:
    """What others decided, before we do. Raises OutsideError where the shared remote cannot be had."""
    upstream = shared_remote(workspace)
    if upstream is not None:
        fetch_tags(workspace, upstream)


def person(workspace: Workspace) -> str:
    """Who sits here, as git knows them. Raises UserError where it knows nobody: a decision has a name."""
    known = identity(workspace.root)
    if known is None:
        raise UserError(
            "git does not know who you are, and a decision has a name.",
            "Set it once: `git config user.name ...` and `git config user.email ...`.",
        )
    return known
