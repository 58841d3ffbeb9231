"""What a run that died left behind: found by the next one, put right by it, and said in one sentence each.

A walk writes down that it has begun and takes that away when its run is on record. Whoever finds such a note while
holding the pipeline's lock knows that its writer is dead: the kernel gives a lock back when its holder dies.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from tunegate.errors import UserError
from tunegate.versions.git import file_at
from tunegate.versions.lineage import read_lock
from tunegate.versions.runs import read_runs
from tunegate.workspace import Workspace, write_atomically

Say = Callable[[str], None]
MOST_RECORDS = 5  # that are looked through for a whole file
CONFLICT = b"<<<<<<< "  # a merge of git's that is a person's to finish
HALF_WRITTEN = ("data/{}/.inputs.json.*", "reports/{}/.*.json.*", "reports/{}/.*.md.*")


@dataclass(frozen=True)
class Begun:
    """A run under way, or cut short."""

    run: str
    pid: int
    since: str


def begin(workspace: Workspace, pipeline: str, run: str) -> None:
    """Write down that the run has begun."""
    note = Begun(run, os.getpid(), datetime.now().strftime("%Y-%m-%d %H:%M:%S"))
    write_atomically(_note(workspace, pipeline), json.dumps(asdict(note)))


def cut_short(workspace: Workspace, pipeline: str) -> Begun | None:
    """The run in this working tree that did not come to its record. Ask only under the pipeline's lock."""
    try:
        return Begun(**json.loads(_note(workspace, pipeline).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def settled(workspace: Workspace, pipeline: str) -> None:
    """The run is on record: nothing of it can be lost any more."""
    _note(workspace, pipeline).unlink(missing_ok=True)


def recover(workspace: Workspace, pipelines: Sequence[str], say: Say) -> None:
    """Before anything is looked at: clear away what is half written and bring back what is damaged."""
    for pipeline in pipelines:
        if left := cut_short(workspace, pipeline):
            say(
                f"the run {left.run} (process {left.pid}, since {left.since}) was cut short; what it had finished "
                "is kept, and this one goes on from there"
            )
        for path in _half_written(workspace, pipeline):
            path.unlink()
            say(f"{workspace.relative(path)} was not finished by whoever wrote it, and is cleared away")
    for pipeline in pipelines:
        _inputs(workspace, pipeline, say)
        _reports(workspace, pipeline, say)


def last_words(workspace: Workspace, pipeline: str) -> str | None:
    """How the last run ended, where it did not come to its end and could still say so."""
    last = next(iter(read_runs(workspace, pipeline)), None)
    if last is None or last.ended.status not in ("failed", "interrupted"):
        return None
    where = next((f" in {stage.name}" for stage in last.ended.stages if stage.state == "failed"), "")
    did = "was interrupted" if last.ended.status == "interrupted" else f"failed{where}"
    return f"the last run, {last.name}, {did}; what it had finished is kept, and this one goes on from there"


def mended_lock(workspace: Workspace, say: Say) -> bool:
    """Whether dvc.lock was damaged and is whole now. Call it when DVC cannot read the project.

    DVC writes it in place, so that a stop in the middle leaves half of it.
    """
    path = workspace.root / "dvc.lock"
    if not path.is_file() or _reads(path.read_bytes()) or CONFLICT in path.read_bytes():
        return False
    for commit in [*(run.commit for run in read_runs(workspace)[:MOST_RECORDS]), "HEAD"]:
        content = file_at(workspace.root, commit, "dvc.lock")
        if content is not None and _reads(content):
            write_atomically(path, content)
            say(f"dvc.lock was damaged and comes from {commit[:10]}; what was made since is restored from DVC's cache")
            return True
    path.unlink()
    say("dvc.lock was damaged and is made anew; what was made before is restored from DVC's cache")
    return True


def _note(workspace: Workspace, pipeline: str) -> Path:
    """One per working tree: several share a state folder."""
    tree = hashlib.sha256(str(workspace.root).encode()).hexdigest()[:8]
    return workspace.state / "begun" / f"{pipeline}-{tree}.json"


def _half_written(workspace: Workspace, pipeline: str) -> list[Path]:
    return [path for pattern in HALF_WRITTEN for path in workspace.root.glob(pattern.format(pipeline))]


def _reads(content: bytes) -> bool:
    try:
        read_lock(content, "")
    except UserError:
        return False
    return True


def _inputs(workspace: Workspace, pipeline: str, say: Say) -> None:
    """The labels and references that it keeps are those of the last run."""
    path = workspace.inputs(pipeline)
    if not path.is_file() or _is_json(path.read_bytes()):
        return
    for commit in [*(run.commit for run in read_runs(workspace, pipeline)[:MOST_RECORDS]), "HEAD"]:
        content = file_at(workspace.root, commit, workspace.relative(path))
        if content is not None and _is_json(content):
            write_atomically(path, content)
            say(f"{workspace.relative(path)} was damaged and comes from {commit[:10]}")
            return
    path.unlink()
    say(f"{workspace.relative(path)} was damaged and is made anew")


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


def _reports(workspace: Workspace, pipeline: str, say: Say) -> None:
    """A damaged one goes: its stage is restored with it, or runs again."""
    for path in workspace.report(pipeline, "any").parent.glob("*.json"):
        if not _is_json(path.read_bytes()):
            path.unlink()
            say(f"{workspace.relative(path)} was damaged and is made again")
