"""A planned run of one pipeline: its steps in order, and which of them are stale, and why."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from flows.elsewhere import run_elsewhere
from flows.placing import LOCAL, placed
from flows.result import StageResult
from tunegate.dvc.noise import is_noise
from tunegate.dvc.project import Project, Step
from tunegate.dvc.running import Listener, run_step
from tunegate.params import ResourceSettings
from tunegate.progress import Progress, format_seconds
from tunegate.workspace import Workspace

FORCED = "asked for with --force"


@dataclass(frozen=True)
class Job:
    """`force` are stages of this pipeline that run whatever DVC says. `stream` is where people read. `resources` are
    those of every pipeline that is walked."""

    workspace: Workspace
    project: Project
    pipeline: str
    force: frozenset[str]
    stream: TextIO
    resources: Mapping[str, Mapping[str, ResourceSettings]] = field(default_factory=dict)
    registers: bool = True  # a version of what passes
    started: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """A line that belongs to no stage."""
        print(text, file=self.stream, flush=True)

    @property
    def steps(self) -> list[Step]:
        found = self.project.steps([self.pipeline])
        return [placed(step, self.resources.get(step.pipeline, {})) for step in found]

    def reasons(self, step: Step) -> list[str]:
        """Why the step must run now, empty when it is up to date."""
        return [FORCED] if self.forced(step) else self.project.reasons(step)

    def forced(self, step: Step) -> bool:
        return step.pipeline == self.pipeline and step.stage in self.force

    def plan(self) -> list[StageResult]:
        """What would run. A step after a stale one counts as stale: whether its inputs change is known only then."""
        stale: dict[str, str] = {}
        planned: list[StageResult] = []
        for step in self.steps:
            why = self.reasons(step) or [f"after {stale[name]}" for name in step.upstream if name in stale]
            if why:
                stale[step.address] = step.stage if step.pipeline == self.pipeline else step.address
            planned.append(StageResult(step.stage, step.pipeline, "stale" if why else "unchanged", 0.0, tuple(why)))
        return planned

    def do(self, step: Step, why: list[str], hears: Listener) -> StageResult:
        """Run the stale step in its own process. Raises what `run_step` raises."""
        shown = Progress(step.stage, self.stream)
        shown.say(f"starts, because {_sentence(why)}")
        start = time.monotonic()
        run = run_step if step.hints.pool == LOCAL else run_elsewhere
        state = run(self.workspace, step, _both(shown, hears), force=self.forced(step))
        self.project.settle(step)
        seconds = time.monotonic() - start
        shown.say(f"{state} in {format_seconds(seconds)}")
        return StageResult(step.stage, step.pipeline, state, seconds, tuple(why))


def _sentence(why: list[str], most: int = 3) -> str:
    more = f" and {len(why) - most} more" if len(why) > most else ""
    return "; ".join(why[:most]) + more


def _both(shown: Progress, hears: Listener) -> Listener:
    """For the person at the terminal, and for Prefect, whose log keeps every line."""

    def line(text: str) -> None:
        if not is_noise(text):
            shown.say(text.removeprefix(f"{shown.stage}: "))
        hears.line(text)

    def progress(event: dict[str, Any]) -> None:
        shown.relay(event)
        hears.progress(event)

    return Listener(line, progress, hears.stopped)


Say = Callable[[str], None]
