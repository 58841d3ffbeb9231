"""Versions, runs, what is live and what waits, as the page lists them. Read from tags and commits, nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tunegate.review.snapshots import NOW, Snapshot
from tunegate.review.waiting_data import waiting_of
from tunegate.versions.decisions import Decision, read_decisions
from tunegate.versions.registry import ENVIRONMENTS, Registry, Version, read_registry
from tunegate.versions.runs import Run, read_runs
from tunegate.workspace import Workspace

MOST_CHOICES = 40  # links in a list that people still read


@dataclass(frozen=True)
class VersionShown:
    """A registered version in one line."""

    ref: str  # v1.2.0
    name: str
    commit: str
    verdict: str
    who: str
    when: str
    why: str
    environments: Sequence[str]
    forced: bool
    rejected: bool = False


@dataclass(frozen=True)
class LiveShown:
    """What serves in an environment, since when and why; `before` is what a rollback goes back to."""

    environment: str
    ref: str
    who: str
    when: str
    why: str
    before: str | None


@dataclass(frozen=True)
class RunShown:
    """`ref` is the start of its commit, as pages are called; `decision` is a word for the catalogue, or empty."""

    ref: str
    name: str
    verdict: str
    status: str
    when: str
    who: str
    problem: str
    decision: str
    decided_by: str


@dataclass(frozen=True)
class Waiting:
    """Something that a person has to decide. `kind` is the page that shows it: `model` or `data`."""

    kind: str
    ref: str
    name: str
    reason: str


def versions(registry: Registry, pipeline: str) -> list[VersionShown]:
    """Newest first."""
    return [_shown(registry, version) for version in reversed(registry.of(pipeline))]


def live(registry: Registry, pipeline: str) -> list[LiveShown]:
    """The environments where something is live."""
    found = []
    for environment in ENVIRONMENTS:
        history = registry.history(pipeline, environment)
        if not history or history[-1].version is None:
            continue
        said, before = history[-1].tag.message, registry.before(pipeline, environment)
        who, when, why = (said.who, said.when, said.why) if said else ("", "", "")
        found.append(LiveShown(environment, history[-1].version, who, when, why, before.short if before else None))
    return found


def runs(workspace: Workspace, pipeline: str) -> list[RunShown]:
    """Newest first."""
    decided = {decision.verdict_hash: decision for decision in read_decisions(workspace, pipeline)}
    return [_run(run, decided.get(run.ended.verdict_hash or "")) for run in read_runs(workspace, pipeline)]


def waiting(workspace: Workspace, pipeline: str, found: Sequence[RunShown]) -> list[Waiting]:
    """The data in the working tree that waits for a review, and the newest of the runs, where it is undecided.

    An older undecided run is overtaken by the newer ones; its page still takes a decision.
    """
    judged = [run for run in found if run.verdict]
    data = waiting_of(workspace, pipeline)
    return [
        *([Waiting("data", NOW, pipeline, "")] if data and data.waits else []),
        *_undecided(judged),
    ]


def _undecided(judged: Sequence[RunShown]) -> list[Waiting]:
    return [
        Waiting("model", run.ref, run.name, run.when)
        for run in judged[:1]
        if run.verdict == "UNDECIDED" and not run.decision
    ]


def about(snapshot: Snapshot) -> VersionShown | None:
    """The version that the snapshot is, if it is one: by name, or by its commit."""
    if snapshot.ref == NOW:
        return None
    registry = read_registry(snapshot.workspace)
    for version in registry.of(snapshot.pipeline):
        if version.short == snapshot.ref or version.tag.commit == snapshot.commit:
            return _shown(registry, version)
    return None


def comparable(workspace: Workspace, pipeline: str) -> list[tuple[str, str]]:
    """States that pages can compare, newest first: (name in addresses, name for people); runs without a verdict not."""
    registry = read_registry(workspace)
    commits = {version.tag.commit for version in registry.of(pipeline)}
    dated = [
        (version.said.when if version.said else "", version.short, version.name) for version in registry.of(pipeline)
    ]
    for run in read_runs(workspace, pipeline):
        if run.ended.verdict and run.commit not in commits:
            dated.append((run.when, run.commit[:12], f"{run.name} ({run.ended.verdict})"))
    newest = sorted(dated, key=lambda each: _moment(each[0]), reverse=True)
    return [(NOW, NOW), *((ref, name) for _, ref, name in newest)][:MOST_CHOICES]


def _moment(when: str) -> float:
    """Of an ISO 8601 time; a tag of another tool says none and comes last."""
    try:
        return datetime.fromisoformat(when).timestamp()
    except ValueError:
        return 0.0


def run_of(snapshot: Snapshot, verdict_hash: str | None) -> Run | None:
    """The run that the snapshot shows: of its commit, else the newest that came to its verdict."""
    known = read_runs(snapshot.workspace, snapshot.pipeline)
    same = [run for run in known if run.commit == snapshot.commit]
    judged = [run for run in known if verdict_hash and run.ended.verdict_hash == verdict_hash]
    return next(iter([*same, *judged]), None)


def decisions_on(snapshot: Snapshot, verdict_hash: str | None) -> list[Decision]:
    """What people decided about this verdict."""
    known = read_decisions(snapshot.workspace, snapshot.pipeline)
    return [decision for decision in known if decision.verdict_hash == verdict_hash]


def _run(run: Run, decision: Decision | None) -> RunShown:
    return RunShown(
        ref=run.commit[:12],
        name=run.name,
        verdict=run.ended.verdict or "",
        status=run.ended.status,
        when=run.when,
        who=run.who,
        problem=run.ended.problem,
        decision=decision.what if decision else "",
        decided_by=decision.who if decision else "",
    )


def _shown(registry: Registry, version: Version) -> VersionShown:
    said = version.said
    return VersionShown(
        ref=version.short,
        name=version.name,
        commit=version.tag.commit,
        verdict=said.verdict if said else "",
        who=said.who if said else "",
        when=said.when if said else "",
        why=said.why if said else "",
        environments=registry.live(version),
        forced=version.forced,
        rejected=registry.rejection(version) is not None,
    )
