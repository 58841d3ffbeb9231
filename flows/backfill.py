"""A pipeline over past versions of its data: each in a worktree and a process of its own, several at once.

Code and settings are those of the working tree as it stands, data is what each version held; nothing of the working
tree is touched, nothing is registered. What an earlier backfill finished is not looked at again; what one that was
killed had begun stands in its worktree, and goes on there.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.backfill_rows import Row, key_of, read_rows, row_of, write_rows
from flows.backfill_tree import Apart, prepare, remove
from flows.environment import served
from tunegate.data_versions.log import Tracked, versions_between
from tunegate.errors import ExitStatus, OutsideError, UserError
from tunegate.pipelines import pipelines_of
from tunegate.versions.runs import Snapshot, read_runs, snapshot
from tunegate.workspace import Workspace, no_such_pipeline

Say = Callable[[str], None]
SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_TO_END = 20.0  # for runs that were asked to, before they are killed


@dataclass(frozen=True)
class Asked:
    """`first` and `last` are revisions: the versions of the data as they stood there, and all between."""

    pipeline: str
    first: str
    last: str = "HEAD"
    at_once: int = 2
    again: bool = False  # also what an earlier backfill finished


def backfill(workspace: Workspace, asked: Asked, say: Say) -> list[Row]:
    """A row per version, oldest first. Raises UserError; failures of single runs stand in their rows."""
    known = pipelines_of(workspace)
    if asked.pipeline not in known:
        raise no_such_pipeline(asked.pipeline, known)
    versions = versions_between(workspace, known[asked.pipeline].data, asked.first, asked.last)
    before = snapshot(workspace)
    if before.head is None:
        raise UserError("The repository has no commit yet.", "Make the first one with `git commit`.")
    with _alone(workspace, asked.pipeline):
        key = key_of(workspace, asked.pipeline, known[asked.pipeline].data, before)
        return _Backfill(workspace, asked, before, key, say).rows(versions)


@contextmanager
def _alone(workspace: Workspace, pipeline: str) -> Iterator[None]:
    path = workspace.state / "locks" / f"{pipeline}.backfill.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutsideError(
                f"Another backfill of {pipeline} is going.", "Wait until it ends: the rest is done by then."
            ) from error
        yield


@dataclass(frozen=True)
class _Going:
    """A version's run under way."""

    version: Tracked
    apart: Apart
    process: "subprocess.Popen[bytes]"
    started: float


class _Backfill:
    """What is done, and what is going."""

    def __init__(self, workspace: Workspace, asked: Asked, before: Snapshot, key: str, say: Say) -> None:
        self._workspace, self._asked, self._before, self._say = workspace, asked, before, say
        self._key = key
        self._going: list[_Going] = []
        self._done: dict[str, Row] = {}

    def rows(self, versions: Sequence[Tracked]) -> list[Row]:
        there = {} if self._asked.again else read_rows(self._workspace, self._asked.pipeline, self._key)
        recorded = {run.commit for run in read_runs(self._workspace, self._asked.pipeline)}
        for version in versions:
            row = there.get(version.hash)
            if row is not None and row.run in recorded:
                self._done[version.hash] = row.model_copy(update={"before": True})
                self._say(f"{version.name}: done before, {row.outcome}")
        waiting = [version for version in versions if version.hash not in self._done]
        with ExitStack() as stack:
            url = stack.enter_context(served(self._workspace, self._say)) if waiting else ""
            self._run(waiting, url)
        return [self._done[version.hash] for version in versions]

    def _run(self, waiting: list[Tracked], url: str) -> None:
        try:
            while waiting or self._going:
                while waiting and len(self._going) < self._asked.at_once:
                    self._start(waiting.pop(0), url)
                for each in [each for each in self._going if each.process.poll() is not None]:
                    self._finish(each)
                time.sleep(SECONDS_BETWEEN_LOOKS)
        finally:
            self._end_all()

    def _start(self, version: Tracked, url: str) -> None:
        apart = prepare(self._workspace, self._asked.pipeline, self._before, version)
        log = apart.log.open("ab")
        environment = {**os.environ, "TUNEGATE_STATE": str(apart.state), "PREFECT_API_URL": url,
                       "PYTHONPATH": _sources(apart.root)}  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.apart", self._asked.pipeline, str(apart.answer)],
            cwd=apart.root,
            env=environment,
            stdin=subprocess.PIPE,  # held open while we live: the run ends with us
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        self._going.append(_Going(version, apart, process, time.monotonic()))
        self._say(f"{version.name}: {'goes on' if apart.found else 'starts'} (log: {apart.log})")

    def _finish(self, going: _Going) -> None:
        self._going.remove(going)
        _close(going.process)
        row = row_of(going.apart.workspace, self._asked.pipeline, going.version, going.apart.answer)
        row = row.model_copy(update={"seconds": round(time.monotonic() - going.started, 1)})
        self._done[going.version.hash] = row
        self._say(f"{going.version.name}: {row.outcome}")
        if row.finished:
            write_rows(self._workspace, self._asked.pipeline, self._key, row)
            remove(self._workspace, going.apart)

    def _end_all(self) -> None:
        """Ask what still goes to end, as Ctrl-C would; whatever does not is killed."""
        for each in self._going:
            with contextlib.suppress(ProcessLookupError):
                each.process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + SECONDS_TO_END
        for each in self._going:
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.process.wait(max(0.0, deadline - time.monotonic()))
            _close(each.process)


def _close(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.close()  # whoever still listens ends now
    process.wait()


def _sources(root: Path) -> str:
    """The worktree's own code first, where the project holds it."""
    own = [str(root / "src"), str(root)] if (root / "src" / "tunegate").is_dir() else []
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([*own, *([inherited] if inherited else [])])


def status_of(rows: Sequence[Row]) -> ExitStatus:
    """0 when every version came to a verdict, whatever it is; else the worst failure's."""
    failed = [row.status for row in rows if not row.finished]
    return ExitStatus.PASSED if not failed else ExitStatus(max(failed))
