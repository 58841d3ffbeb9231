"""Records of runs that may go, by age or number, and those that no rule lets go."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tunegate.versions.data_reviews import data_decisions
from tunegate.versions.decisions import read_decisions
from tunegate.versions.lineage import lineages_at
from tunegate.versions.registry import Registry, read_registry
from tunegate.versions.runs import Run, read_runs
from tunegate.workspace import Workspace


@dataclass(frozen=True)
class Rule:
    """A record goes that is beyond the newest `most` of its pipeline and older than `days`; None: not asked."""

    most: int | None = None
    days: float | None = None

    def __bool__(self) -> bool:
        return self.most is not None or self.days is not None


def sorted_out(workspace: Workspace, rule: Rule, now: datetime) -> tuple[list[Run], dict[str, str]]:
    """The records that go; and of every record that must stay, by its name, why."""
    runs = read_runs(workspace)
    held = _held(workspace, runs)
    by_pipeline: dict[str, list[Run]] = defaultdict(list)
    for run in runs:  # newest first
        by_pipeline[run.pipeline].append(run)
    oldest = now - timedelta(days=rule.days or 0)
    gone = [
        run
        for of_one in by_pipeline.values()
        for place, run in enumerate(of_one)
        if rule and place >= (rule.most or 1) and run.started < oldest and run.name not in held
    ]
    return gone, held


def _held(workspace: Workspace, runs: Sequence[Run]) -> dict[str, str]:
    registry = read_registry(workspace)
    named = _named(registry)
    decided = {decision.verdict_hash for decision in read_decisions(workspace)}
    reviewed = _reviewed(workspace, runs)
    held = {}
    for run in runs:
        if run.commit in named or run.name in named:
            held[run.name] = named.get(run.commit) or named[run.name]
        elif run.ended.verdict == "UNDECIDED" and run.ended.verdict_hash not in decided:
            held[run.name] = "waits for a person"
        elif run.name in reviewed:
            held[run.name] = reviewed[run.name]
    return held


def _named(registry: Registry) -> dict[str, str]:
    """Commits and names of runs that tags of ours speak of."""
    found: dict[str, str] = {}
    for tag in registry.tags:
        for name in (tag.commit, *((tag.message.run, tag.message.commit) if tag.message else ())):
            if name:
                found.setdefault(name, tag.name)
    return found


def _reviewed(workspace: Workspace, runs: Sequence[Run]) -> dict[str, str]:
    """Runs of data that a person decided about, or that still waits for one: by the hash of what was validated."""
    waiting = {run.name for run in runs if run.ended.status == "undecided" and run.ended.verdict is None}
    found = dict.fromkeys(waiting, "its data waits for a person")
    for pipeline in dict.fromkeys(run.pipeline for run in runs):
        decisions = {each.validated: each for each in data_decisions(workspace, pipeline)}
        if not decisions:
            continue
        own = [run for run in runs if run.pipeline == pipeline]
        made = lineages_at(workspace, [run.commit for run in own], pipeline)
        for run in own:
            validated = _validated(made[run.commit], pipeline)
            if validated in decisions:
                found[run.name] = f"its data was reviewed by {decisions[validated].who}"
    return found


def _validated(made: Mapping[str, object], pipeline: str) -> str | None:
    stage = made.get("validate")
    return getattr(stage, "made", {}).get(f"data/{pipeline}/validate")
