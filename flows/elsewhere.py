"""The driver's side of a stage on a worker: asked by commit id alone, followed, and its answer put in its place.

Data goes by hash through DVC's remote, trees and answers through the git remote, states and log lines through
Prefect. Whoever asks for the same work finds the answer, or the worker that is at it: nothing is made twice because a
driver died.
"""

from contextlib import suppress
from uuid import uuid4

from tunegate.dvc.exchange import Work, entry_in, take, work_of
from tunegate.dvc.project import Step
from tunegate.dvc.running import Listener, State, run_step
from tunegate.dvc.transfer import is_private, push_objects
from tunegate.errors import OutsideError, UserError
from tunegate.inputs import read_inputs
from tunegate.releases.rebuild import reference_hashes
from tunegate.stages import STAGES
from tunegate.versions.errands import Asked, ask, forget, lock_answered
from tunegate.versions.remotes import shared_remote
from tunegate.versions.runs import snapshot
from tunegate.workspace import Workspace


def run_elsewhere(workspace: Workspace, step: Step, listener: Listener, *, force: bool = False) -> State:
    """As `run_step`, on a worker of the step's pool.

    Raises the stage's own failures, OutsideError for a lost worker, remote or server, UserError where nothing is
    shared with a worker.
    """
    upstream = _shared_with_workers(workspace, step)
    work = work_of(workspace, step)
    if work.restorable and not force:
        return run_step(workspace, step, listener)
    name = f"{work.key}-{uuid4().hex[:8]}" if force else work.key
    commit = None
    lock = lock_answered(workspace, upstream, name)
    if lock is None:
        commit, lock = _made_by_a_worker(workspace, upstream, step, (Asked(step.address, name, force), work), listener)
    else:
        listener.line(f"an earlier run had {step.address} made on the pool {step.hints.pool}: its answer is taken")
    take(workspace, step, entry_in(lock, step), work.key)
    with suppress(OutsideError):
        forget(workspace, upstream, name, commit)
    return "ran"


def _made_by_a_worker(
    workspace: Workspace, upstream: str, step: Step, wanted: tuple[Asked, Work], listener: Listener
) -> tuple[str, bytes]:
    """The asked commit, and the dvc.lock of the answer."""
    from flows.errand import errand

    asked, work = wanted
    with errand(asked.name, step, listener) as sent:
        if not sent.is_at_work():
            push_objects(workspace, (*work.reads, *_references(workspace, step)))
            sent.send(ask(workspace, upstream, snapshot(workspace), asked))
        sent.follow()
        lock = lock_answered(workspace, upstream, asked.name)
    if lock is None:
        raise OutsideError(
            f"The worker of {step.address} came to its end, and its answer is not in the git remote {upstream}.",
            "Look at its right to push there, then run again.",
        )
    return sent.commit, lock


def _references(workspace: Workspace, step: Step) -> list[str]:
    """Hashes of the versions that the stage compares with."""
    return reference_hashes(read_inputs(workspace.inputs(step.pipeline)).only(STAGES[step.stage].reads))


def _shared_with_workers(workspace: Workspace, step: Step) -> str:
    """The git remote. Raises UserError where there is none, or where the data would stay on this machine."""
    upstream = shared_remote(workspace)
    if upstream is None:
        raise UserError(
            f"{step.address} is to run on the pool {step.hints.pool}, and this clone shares no git remote with it.",
            "Name it once with `tunegate push` (or `tunegate pull`), or set resources."
            + f"{step.stage}.pool to local.",
        )
    if is_private(workspace):
        raise UserError(
            f"{step.address} is to run on the pool {step.hints.pool}, and DVC's default remote is a folder of this "
            "clone alone.",
            "Name one that workers reach with `dvc remote add --default`: docs/how-to/remotes.md.",
        )
    return upstream
