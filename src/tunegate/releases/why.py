"""Why a stage of a run was made again, or what it was spared: its record beside that of the run before."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tunegate.dvc.objects import FOLDER, MissingObjectError, Objects
from tunegate.errors import OutsideError, UserError, did_you_mean
from tunegate.releases.accept import STATE
from tunegate.stages import check_stage
from tunegate.versions.changes import Change, changes
from tunegate.versions.durations import past_seconds
from tunegate.versions.git import file_at
from tunegate.versions.lineage import CODE, Made, lineages_at
from tunegate.versions.runs import Run, read_runs
from tunegate.workspace import Workspace, no_such_pipeline

REDONE = ("ran", "restored", "failed", STATE)


@dataclass(frozen=True)
class StageWhy:
    """`changes` are what the stage itself saw; `roots` what those that other stages made go back to.

    `saved` are the seconds that the stage took when it last ran with just these inputs, of one that was reused.
    """

    stage: str
    state: str
    seconds: float
    changes: tuple[Change, ...] = ()
    roots: tuple[Change, ...] = ()
    saved: float | None = None
    first: bool = False  # nothing of it was on record before

    @property
    def reasons(self) -> list[str]:
        """Sentences; empty where nothing changed."""
        return [change.sentence for change in self.changes]

    def as_object(self) -> dict[str, object]:
        """What `--json` prints."""
        return {
            "stage": self.stage,
            "state": self.state,
            "seconds": self.seconds,
            "reasons": self.reasons,
            "goes_back_to": [change.sentence for change in self.roots],
            "changes": [vars(change) for change in self.changes],
            "saved_seconds": self.saved,
        }


@dataclass(frozen=True)
class RunWhy:
    """A run, the run before it (None: it was the first), and its stages in their order."""

    run: Run
    before: Run | None
    stages: tuple[StageWhy, ...]

    @property
    def saved(self) -> float:
        """Seconds that reused stages would have taken."""
        return sum(stage.saved or 0.0 for stage in self.stages)


def why(workspace: Workspace, pipeline: str, stage: str | None = None, run: str | None = None) -> RunWhy:
    """Of the pipeline's last run on record, or the one named; of one stage, or all.

    Raises UserError where there is no such run or stage.
    """
    runs = read_runs(workspace, pipeline)
    number = _chosen(workspace, runs, pipeline, run)
    this, before = runs[number], next(iter(runs[number + 1 :]), None)
    told = _Told(workspace, runs[number:])
    names = [each.name for each in this.ended.stages if "@" not in each.name]
    if stage is not None and stage not in names:
        check_stage(stage)
        raise UserError(f"{this.name} has no stage {stage}.", f"It has: {', '.join(names)}.")
    wanted = names if stage is None else [stage]
    with Objects(workspace) as objects:
        return RunWhy(this, before, tuple(told.stage(name, objects) for name in wanted))


def _chosen(workspace: Workspace, runs: list[Run], pipeline: str, name: str | None) -> int:
    if not runs:
        known = {each.pipeline for each in read_runs(workspace)}
        if known and pipeline not in known:
            raise no_such_pipeline(pipeline, known)
        raise UserError(f"No run of {pipeline} is on record.", f"Run it with `tunegate run {pipeline}`.")
    names = [each.name for each in runs]
    if name is not None and name not in names:
        raise UserError(
            f'There is no run "{name}" of {pipeline}.{did_you_mean(name, names)}', "`tunegate runs` lists them."
        )
    return names.index(name) if name else 0


class _Told:
    """The lineages of a run and of all before it, newest first."""

    def __init__(self, workspace: Workspace, runs: list[Run]) -> None:
        self._workspace = workspace
        self._runs = runs
        self._lineages = lineages_at(workspace, [run.commit for run in runs], runs[0].pipeline)
        self._now = self._lineages[runs[0].commit]
        self._then = self._lineages[runs[1].commit] if len(runs) > 1 else {}
        self._makers = {out: stage for stage, made in {**self._then, **self._now}.items() for out in made.made}

    def stage(self, name: str, objects: Objects) -> StageWhy:
        recorded = next(each for each in self._runs[0].ended.stages if each.name == name)
        if recorded.state not in REDONE:
            reused = recorded.state == "unchanged"
            return StageWhy(name, recorded.state, recorded.seconds, saved=self._spared(name) if reused else None)
        if name not in self._then:
            return StageWhy(name, recorded.state, recorded.seconds, first=True)
        direct = tuple(self._in_files(self._changes(name, recorded.state), objects))
        roots = _once(self._in_files(self._roots(direct, {name}), objects))
        saved = self._spared(name) if recorded.state in ("restored", STATE) else None
        return StageWhy(name, recorded.state, recorded.seconds, direct, roots, saved)

    def _changes(self, name: str, state: str) -> list[Change]:
        before = self._then.get(name)
        if before is None or name not in self._now:
            return []
        now = self._seen(before) if state == "failed" else self._now[name]
        return changes(name, before, now, self._makers)

    def _seen(self, before: Made) -> Made:
        """What a stage that failed had before it: DVC writes down only what succeeded."""
        outs = {out: value for made in self._now.values() for out, value in made.made.items()}
        read = {path: self._hash_now(path) or outs.get(path, value) for path, value in before.read.items()}
        content = file_at(self._workspace.root, self._runs[0].commit, f"data/{self._runs[0].pipeline}/inputs.json")
        inputs = json.loads(content) if content else {}
        return replace(before, read=read, settings={key: _at(inputs, key) for key in before.settings})

    def _hash_now(self, path: str) -> str | None:
        commit = self._runs[0].commit
        if path.startswith(CODE):
            content = file_at(self._workspace.root, commit, path)
            return hashlib.md5(content, usedforsecurity=False).hexdigest() if content is not None else None
        tracked = file_at(self._workspace.root, commit, f"{path}.dvc")
        if tracked is None:
            return None
        from ruamel.yaml import YAML

        return str(YAML(typ="safe").load(tracked)["outs"][0]["md5"])

    def _roots(self, direct: tuple[Change, ...], seen: set[str]) -> Iterator[Change]:
        """What no stage made, of the stages upstream whose files changed."""
        states = {each.name: each.state for each in self._runs[0].ended.stages}
        for maker in dict.fromkeys(change.maker for change in direct if change.maker):
            if maker not in seen:
                seen.add(maker)
                found = tuple(self._changes(maker, states.get(maker, "ran")))
                yield from (change for change in found if not change.maker)
                yield from self._roots(found, seen)

    def _spared(self, name: str) -> float | None:
        """Of the newest run that made just this; else of any."""
        now = self._now.get(name)
        for run in self._runs:
            for stage in run.ended.stages:
                if stage.name == name and stage.state == "ran" and self._lineages[run.commit].get(name) == now:
                    return stage.seconds
        return past_seconds(self._runs).get(f"{name}@{self._runs[0].pipeline}")

    def _in_files(self, found: "Iterator[Change] | list[Change]", objects: Objects) -> Iterator[Change]:
        """Folders that no stage made, down to their files, where DVC still has both lists."""
        for change in found:
            folders = [value for value in (change.before, change.after) if str(value).endswith(FOLDER)]
            if change.kind != "file" or len(folders) < 2:
                yield change
                continue
            try:
                before, after = (objects.listing(value) for value in folders)
            except (MissingObjectError, OutsideError, ValueError):
                yield change
                continue
            for file in {**before, **after}:
                if before.get(file) != after.get(file):
                    yield Change("file", f"{change.name}/{file}", before.get(file), after.get(file))


def _once(found: Iterator[Change]) -> tuple[Change, ...]:
    """By equality: a setting's value may be a list or a mapping, which no set can hold."""
    kept: list[Change] = []
    for change in found:
        if change not in kept:
            kept.append(change)
    return tuple(kept)


def _at(inputs: Any, key: str) -> Any:
    for part in key.split("."):
        inputs = inputs.get(part) if isinstance(inputs, dict) else None
    return inputs
