"""A fine-tuned Hugging Face folder that a person already has, as a version: so that the first run has a champion.

In a worktree: the project's rows are read and checked, the folder stands in for what `train` would make, and export,
evaluate, gate and package run as for any other model. The person's own tree, settings and dvc.lock stay as they are.
"""

import json
import re
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ruamel.yaml import YAML

from tunegate.bento import packaged_bento
from tunegate.bento.building import store
from tunegate.dvc.project import Project, Step
from tunegate.dvc.running import Listener, run_step
from tunegate.dvc.tracking import track
from tunegate.dvc.worktrees import bring_inputs
from tunegate.errors import UserError
from tunegate.inputs import read_inputs
from tunegate.models.adding import add_model
from tunegate.models.sources import from_folder
from tunegate.params_file import read_params
from tunegate.pipelines import pipelines_of
from tunegate.releases.adopted_files import check_labels, check_order, labels_of, stand_in_for_training
from tunegate.releases.rebuild import bring_references, own_state
from tunegate.releases.registering import ADOPT, register_adopted
from tunegate.releases.worktree import worktree
from tunegate.stages import STAGES
from tunegate.versions.decisions import refresh
from tunegate.versions.git import commit_tree
from tunegate.versions.inputs import current_inputs
from tunegate.versions.references import approval, current_references
from tunegate.versions.registry import Version, assign, read_registry
from tunegate.versions.runs import Ended, Run, Snapshot, StageTime, record, snapshot
from tunegate.workspace import Workspace, no_such_pipeline

Say = Callable[[str], None]
OF_VERDICT = {"FAIL": "force", "UNDECIDED": "approve"}
"""An adoption is a person's decision: what it does about each verdict that is no PASS."""


@dataclass(frozen=True)
class Adopted:
    """`live` is the environment that it went to: production, unless another version is live there."""

    version: Version
    run: Run
    verdict: str
    live: str | None


def adopt(workspace: Workspace, folder: Path, pipeline: str, *, who: str, why: str, say: Say) -> Adopted:
    """Export, judge, package and register the folder's model. Raises UserError, and what a stage raises."""
    if not why.strip():
        raise UserError("An adoption needs a reason.", "Say why, for those who read it later (--why).")
    settings = pipelines_of(workspace)
    if pipeline not in settings:
        raise no_such_pipeline(pipeline, settings)
    labels = labels_of(from_folder(folder).folder)
    refresh(workspace)
    before = snapshot(workspace)
    if before.head is None:
        raise UserError("The repository has no commit to keep this beside.", "Make the first one with `git commit`.")
    start = commit_tree(workspace.root, before.tree, [before.head], f"Before {folder.name} is adopted")
    with worktree(workspace, start) as shared, own_state(shared) as tree:
        work = _Work(workspace, tree, pipeline, settings[pipeline].task, who, why, say)
        work.prepare(folder, labels)
        run = work.run(labels, before)
        version = register_adopted(workspace, run, tree, who=who, why=why)
        store(packaged_bento(tree, pipeline), workspace)
    live = None if read_registry(workspace).champion(pipeline) else "production"
    if live:
        assign(workspace, version, live, who=who, why=why, what=ADOPT)
    return Adopted(version, run, run.ended.verdict or "", live)


@dataclass(frozen=True)
class _Work:
    """What happens in the worktree `tree`."""

    workspace: Workspace
    tree: Workspace
    pipeline: str
    task: str
    who: str
    why: str
    say: Say
    times: list[StageTime] = field(default_factory=list)

    def prepare(self, folder: Path, labels: Sequence[str]) -> None:
        """The folder as the pipeline's model, and inputs.json with its labels in its order."""
        add_model(self.tree, self._name(folder), from_folder(folder), replace=True)
        track(self.tree, self._folder(folder))
        document = read_params(self.tree.params)
        document["pipelines"][self.pipeline]["model"] = f"models/{self._name(folder)}"
        with self.tree.params.open("w", encoding="utf-8") as file:
            YAML().dump(document, file)
        settings = pipelines_of(self.tree)[self.pipeline]
        found = {**current_references(self.workspace, self.pipeline), "labels": list(labels), "approval": None}
        inputs = current_inputs(self.tree, self.pipeline, settings).model_copy(update=found)
        inputs.write(self.tree.inputs(self.pipeline))
        bring_references(self.workspace, self.tree, inputs)
        bring_inputs(self.tree, Step("ingest", self.pipeline))

    def _name(self, folder: Path) -> str:
        plain = re.sub(r"[^a-z0-9._-]+", "-", folder.resolve().name.lower()).strip("-._")
        return f"adopted-{plain[:40]}" if plain else "adopted"

    def _folder(self, folder: Path) -> Path:
        return self.tree.model(f"models/{self._name(folder)}")

    def run(self, labels: list[str], before: Snapshot) -> Run:
        """All stages, with the folder in the place of training; kept as a run."""
        for name in STAGES:
            if name == "train":
                self._stand_in(labels)
            else:
                self._stage(name)
            if name == "evaluate":
                check_order(self.tree, self.pipeline)
            if name == "gate":
                self._let_through()
        gate, package = (self._report(name) for name in ("gate", "package"))
        ended = Ended(
            name=f"{self.pipeline}-{datetime.now():%Y%m%d-%H%M%S}-adopted",
            pipeline=self.pipeline,
            status="adopted",
            verdict=str(gate["verdict"]),
            verdict_hash=str(gate["hash"]),
            bento=str(package["tag"]),
            stages=tuple(self.times),
        )
        return record(self.tree, before, ended, self._made())

    def _stage(self, name: str) -> None:
        start = time.monotonic()
        state = run_step(self.tree, Step(name, self.pipeline), Listener(self.say))
        self.times.append(StageTime(name, state, time.monotonic() - start))

    def _stand_in(self, labels: list[str]) -> None:
        params = read_inputs(self.tree.inputs(self.pipeline)).params
        model = self.tree.model(params["model"])
        in_data = json.loads((self.tree.stage(self.pipeline, "validate") / "labels.json").read_text(encoding="utf-8"))
        check_labels(labels, in_data, model)
        start = time.monotonic()
        stand_in_for_training(self.tree, self.pipeline, self.task, params["options"], model)
        with closing(Project(self.tree)) as project:
            project.accept(Step("train", self.pipeline), restorable=False)
        self.times.append(StageTime("train", "adopted", time.monotonic() - start))

    def _let_through(self) -> None:
        """The person who adopts it takes it whatever the gate says; that shows with the version."""
        gate = self._report("gate")
        what = OF_VERDICT.get(str(gate["verdict"]))
        if what is not None:
            inputs = self.tree.inputs(self.pipeline)
            agreed = approval(self.who, self.why, str(gate["hash"]), what)
            read_inputs(inputs).model_copy(update={"approval": agreed}).write(inputs)

    def _report(self, stage: str) -> dict[str, object]:
        return dict(json.loads(self.tree.report(self.pipeline, stage).read_text(encoding="utf-8")))

    def _made(self) -> list[Path]:
        tree, inputs = self.tree, self.tree.inputs(self.pipeline)
        models = tree.model("models")
        tracked = [tree.model(f"{read_inputs(inputs).params['model']}.dvc"), models / ".gitignore"]
        reports = tree.report(self.pipeline, "gate").parent
        return [tree.root / "dvc.lock", tree.params, inputs, inputs.with_name(".gitignore"), reports, *tracked]
