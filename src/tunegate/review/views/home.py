"""Home: every pipeline with what is live, what waits for a decision, the last runs, schedules and drift."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from tunegate.errors import UserError
from tunegate.review.history import (
    LiveShown,
    RunShown,
    VersionShown,
    Waiting,
    comparable,
    live,
    runs,
    versions,
    waiting,
)
from tunegate.review.language import Language
from tunegate.review.reports import GateSeen, ValidateSeen
from tunegate.review.site import Site
from tunegate.review.snapshots import NOW
from tunegate.versions.registry import Registry, read_registry

RUNS_AT_HOME = 5


@dataclass(frozen=True)
class PipelineShown:
    """One pipeline in short. `problem` says why something of it cannot be shown."""

    name: str
    description: str
    task: str
    data: str
    gate: GateSeen | None
    validated: ValidateSeen | None
    live: Sequence[LiveShown]
    versions: Sequence[VersionShown]
    runs: Sequence[RunShown]
    waiting: Sequence[Waiting]
    choices: Sequence[tuple[str, str]]  # what can be compared: name in addresses, name for people; newest first
    problem: str = ""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Each version with the one after it, and the newest with the working tree."""
        refs = [ref for ref, _ in reversed(self.choices)]
        return list(pairwise(refs))


@dataclass(frozen=True)
class HomeView:
    template: ClassVar[str] = "home.html"

    pipelines: Sequence[PipelineShown]
    damage: Sequence[str]

    @property
    def waiting(self) -> list[tuple[str, Waiting]]:
        return [(pipeline.name, each) for pipeline in self.pipelines for each in pipeline.waiting]

    def title(self, language: Language) -> str:
        return language.say("home.title")


@dataclass(frozen=True)
class PipelineView:
    template: ClassVar[str] = "pipeline.html"

    pipeline: PipelineShown

    def title(self, language: Language) -> str:
        return language.say("pipeline.title", name=self.pipeline.name)


def home_view(site: Site) -> HomeView:
    """Raises UserError for mistakes in params.yaml."""
    registry = read_registry(site.workspace)
    shown = [_pipeline(site, registry, name, RUNS_AT_HOME) for name in site.pipelines()]
    return HomeView(shown, registry.damage)


def pipeline_view(site: Site, pipeline: str) -> PipelineView:
    """Raises NotThereError."""
    return PipelineView(_pipeline(site, read_registry(site.workspace), site.check(pipeline), None))


def _pipeline(site: Site, registry: Registry, name: str, most_runs: int | None) -> PipelineShown:
    settings, now = site.pipelines()[name], site.snapshot(name, NOW)
    gate, validated, problem = None, None, ""
    try:
        gate, validated = now.report("gate", GateSeen), now.report("validate", ValidateSeen)
    except UserError as error:  # one damaged report must not take the list from everybody
        problem = f"{error.problem} {error.remedy}"
    found = runs(site.workspace, name)
    return PipelineShown(
        name=name,
        description=settings.description,
        task=settings.task,
        data=settings.data,
        gate=gate,
        validated=validated,
        live=live(registry, name),
        versions=versions(registry, name),
        runs=found[:most_runs],
        waiting=waiting(site.workspace, name, found),
        choices=comparable(site.workspace, name) if gate else [],
        problem=problem,
    )
