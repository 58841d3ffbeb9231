"""The git worktree of a deployed run: a revision, with what the pipeline's last run made, so that nothing is redone.

One per pipeline, at a path that stays; gone when the run ends, however it ends. What a killed run left behind the
next one clears away. Nothing is lost with it: the run's record, DVC's cache and the checkpoints lie elsewhere.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from flows.job import Say
from tunegate.dvc.project import Project
from tunegate.dvc.worktrees import bring_outs, merge_lock
from tunegate.errors import UserError
from tunegate.pipelines import pipelines_of
from tunegate.releases.worktree import worktree
from tunegate.versions.git import commit_of, files_at, git
from tunegate.versions.runs import Run, read_runs
from tunegate.workspace import Workspace, check_pipeline_name, write_atomically

LOCK = "dvc.lock"


@contextmanager
def run_tree(workspace: Workspace, pipeline: str, revision: str, say: Say) -> Iterator[Workspace]:
    """The worktree while the block runs. Raises UserError for a revision that is no commit."""
    check_pipeline_name(pipeline)
    commit = commit_of(workspace.root, revision)
    if commit is None:
        raise UserError(
            f'"{revision}" is no commit of this project.', "Name a commit, tag or branch; HEAD needs a first commit."
        )
    with worktree(workspace, commit, f"run-{pipeline}") as tree:
        pipelines_of(tree)  # a mistake in the settings would stop DVC in the middle
        say(f"runs {commit[:10]} in {workspace.relative(tree.root)}")
        _seed(workspace, tree, pipeline)
        yield tree


def _seed(workspace: Workspace, tree: Workspace, pipeline: str) -> None:
    """What the last runs of the pipeline, and of those it is built on, left behind: inputs, reports, lock and files."""
    with closing(Project(tree)) as project:
        steps = project.steps([pipeline])
    last = {name: _last(workspace, name) for name in dict.fromkeys(step.pipeline for step in steps)}
    for name, run in last.items():
        if run is None:
            continue  # never run here: what the revision itself holds stands
        copy_small(tree, name, run)
        (lock,) = files_at(tree.root, [f"{run.commit}:{LOCK}"])
        if lock is not None:
            merge_lock(tree, name, lock.decode())
    bring_outs(tree, [step.address for step in steps])


def _last(workspace: Workspace, pipeline: str) -> Run | None:
    return next(iter(read_runs(workspace, pipeline)), None)


def copy_small(tree: Workspace, pipeline: str, run: Run) -> None:
    """Inputs and reports of a run's record, which git keeps."""
    places = [tree.relative(tree.inputs(pipeline)), tree.relative(tree.report(pipeline, "gate").parent)]
    names = git(tree.root, "ls-tree", "-r", "-z", "--name-only", run.commit, *places).split("\0")
    wanted = [name for name in names if name]
    contents = files_at(tree.root, [f"{run.commit}:{name}" for name in wanted])
    for name, content in zip(wanted, contents, strict=True):
        if content is not None:
            write_atomically(tree.root / name, content)
