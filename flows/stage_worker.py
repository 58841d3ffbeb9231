"""The worker's side of a stage: the flow `run-stage`, in a clone of its own.

It is told a commit, a stage and a pipeline. The tree comes from the git remote, the files that the stage reads from
DVC's remote; what it makes goes back the same two ways. States, log lines and progress go to Prefect.
"""

import logging
import os
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import TypeAdapter

from flows.beats import Beats
from flows.clones import CLONE
from flows.placing import placed
from flows.stage_states import LINES, failed
from tunegate.dvc.exchange import entry_in, made
from tunegate.dvc.project import Project, Step
from tunegate.dvc.running import CrashedError, Listener, run_step
from tunegate.dvc.transfer import push_objects
from tunegate.dvc.worktrees import bring_inputs
from tunegate.errors import TunegateError, UserError
from tunegate.health.libraries import check_libraries
from tunegate.inputs import Inputs, read_inputs
from tunegate.params import ResourceSettings
from tunegate.releases.rebuild import bring_references
from tunegate.releases.worktree import worktree
from tunegate.stages import STAGES
from tunegate.versions.errands import answer, fetch_asked
from tunegate.versions.remotes import choose_remote
from tunegate.workspace import Workspace


@flow(name="run-stage", persist_result=False)
def run_stage(commit: str, stage: str, pipeline: str) -> State[Any]:
    """One stage of one pipeline on the tree of a commit, as a driver asks for it."""
    clone = Workspace.find(Path(os.environ.get(CLONE, ".")))
    lines = logging.getLogger(LINES)
    with Beats(UUID(str(flow_run.id))) as beats:
        try:
            answered = _work(clone, commit, Step(stage, pipeline), Listener(lines.info, beats.progress))
        except (TunegateError, CrashedError) as error:
            return failed(error)
        except Exception as error:
            get_run_logger().exception("a bug of ours")
            return failed(error)
    return Completed(message=f"Answered with the commit {answered[:10]}.")


def _work(clone: Workspace, commit: str, wanted: Step, listener: Listener) -> str:
    """The answer's commit. Raises what the stage raises, and OutsideError for a remote."""
    upstream = choose_remote(clone, None)
    asked = fetch_asked(clone, upstream, commit)
    with worktree(clone, commit) as tree:
        inputs = read_inputs(tree.inputs(wanted.pipeline))
        step = _step(tree, wanted, inputs)
        seen = inputs.only(STAGES[step.stage].reads)
        check_libraries(seen)
        bring_references(clone, tree, seen)
        bring_inputs(tree, step)
        run_step(tree, step, listener, force=asked.forced)
        entry = entry_in((tree.root / "dvc.lock").read_bytes(), step)
        push_objects(tree, made(entry))
        return answer(tree, upstream, commit, asked.name, [tree.root / "dvc.lock", *_reports(tree, step)])


def _step(tree: Workspace, wanted: Step, inputs: Inputs) -> Step:
    """As the commit's dvc.yaml and settings have it."""
    project = Project(tree)
    try:
        found = next((step for step in project.steps([wanted.pipeline]) if step.address == wanted.address), None)
    finally:
        project.close()
    if found is None:
        raise UserError(f"dvc.yaml has no stage {wanted.address}.", "Look at the commit's dvc.yaml.")
    resources = TypeAdapter(dict[str, ResourceSettings]).validate_python(inputs.params["resources"])
    return placed(found, resources)


def _reports(tree: Workspace, step: Step) -> list[Path]:
    found = [tree.report(step.pipeline, step.stage, suffix) for suffix in (".json", ".md")]
    return [path for path in found if path.is_file()]
