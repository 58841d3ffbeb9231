"""The opened project: which steps a pipeline has, in the graph's order, and which of them are stale."""

from collections.abc import Iterable, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunegate.dvc.reasons import Staleness, staleness_of
from tunegate.dvc.settings import open_repository
from tunegate.dvc.touched import ctimes, forget_touched, remember
from tunegate.errors import OutsideError, UserError
from tunegate.workspace import Workspace, no_such_pipeline


@dataclass(frozen=True)
class Hints:
    """What `meta:` in dvc.yaml says about scheduling; DVC does not hash it."""

    pool: str = "local"
    retries: int = 0  # after a failure of something outside
    retry_seconds: float = 10.0  # a remote or a worker that failed gets this long to come back
    timeout_seconds: float | None = None
    wait_seconds: float = 3600.0  # until a worker has taken it: the one before may train for as long
    lost_seconds: float = 90.0  # without a sign of life of its worker; one comes every second


@dataclass(frozen=True)
class Step:
    """One stage of one pipeline. `upstream` are the addresses of the steps whose files it reads."""

    stage: str
    pipeline: str
    upstream: tuple[str, ...] = ()
    hints: Hints = Hints()

    @property
    def address(self) -> str:
        """As DVC names it: `train@support`."""
        return f"{self.stage}@{self.pipeline}"


class Project:
    """DVC's index, opened once. Settings are validated before: a mistake in them would stop DVC for every pipeline."""

    def __init__(self, workspace: Workspace) -> None:
        from dvc.exceptions import DvcException

        self.workspace = workspace
        try:
            self._repository = open_repository(workspace)
            self._index = self._repository.index
            self._index.check_graph()
        except DvcException as error:
            raise UserError(
                f"DVC cannot read the project: {error}.",
                "Mend the file that it names; dvc.lock comes back with `git checkout -- dvc.lock` (or delete it: what "
                "was made before is restored and not made again).",
            ) from error
        self._stages: dict[str, Any] = {stage.name: stage for stage in self._index.stages if stage.cmd}

    def steps(self, pipelines: Sequence[str]) -> list[Step]:
        """The pipelines' steps and those they build on, in an order in which every step follows its upstream."""
        import networkx

        wanted = {name for name in self._stages if _pipeline(name) in pipelines}
        missing = set(pipelines) - {_pipeline(name) for name in wanted}
        if missing:
            known = {_pipeline(name) for name in self._stages}
            raise no_such_pipeline(min(missing), known)
        graph = networkx.DiGraph(
            (below.name, above.name) for above, below in self._index.graph.edges if above.cmd and below.cmd
        )
        graph.add_nodes_from(wanted)
        wanted |= {upstream for name in wanted for upstream in networkx.ancestors(graph, name)}
        place = {name: number for number, name in enumerate(self._stages)}
        order = networkx.lexicographical_topological_sort(graph.subgraph(wanted), key=place.__getitem__)
        return [self._step(name, sorted(graph.predecessors(name), key=place.__getitem__)) for name in order]

    def _step(self, name: str, upstream: Iterable[str]) -> Step:
        stage, _, pipeline = name.partition("@")
        meta = dict(self._stages[name].meta or {})
        return Step(
            stage,
            pipeline,
            tuple(upstream),
            Hints(
                pool=str(meta.get("pool", Hints.pool)),
                retries=int(meta.get("retries", Hints.retries)),
                retry_seconds=float(meta.get("retry_seconds", Hints.retry_seconds)),
                timeout_seconds=float(meta["timeout"]) if "timeout" in meta else None,
            ),
        )

    def reasons(self, step: Step) -> list[str]:
        """Why the step must run, empty when it is up to date. Notices edits that keep size and time too."""
        return self.staleness(step).reasons

    def staleness(self, step: Step) -> Staleness:
        """The same, with code, other inputs and outputs apart."""
        from dvc.lock import LockError

        stage = self._stages[step.address]
        paths = [Path(entry.fs_path) for entry in (*stage.deps, *stage.outs)]
        seen = forget_touched(self._repository, paths, self._record(step))
        try:
            found = staleness_of(stage, self.workspace.root)
        except LockError as error:
            raise OutsideError(
                f"Another DVC process works on the files of {step.address}: {error}.",
                "Wait until it ends, then run again.",
            ) from error
        remember(seen, self._record(step))
        return found

    def accept(self, step: Step, *, restorable: bool = True) -> None:
        """Write down in dvc.lock that the step's files are what its inputs of now make. Open the project anew after.

        Not `restorable`: DVC's run cache does not learn it, so that a run with these inputs makes them itself.
        """
        from dvc.exceptions import DvcException

        try:
            with chdir(self.workspace.root), self._repository.lock:  # DVC looks for dvc.yaml in the current folder
                stage = self._stages[step.address]
                stage.save(run_cache=restorable)
                stage.commit()
                stage.dump(update_pipeline=False)
        except DvcException as error:
            raise UserError(f"DVC cannot write down {step.address}: {error}.", "Mend what it names.") from error

    def settle(self, step: Step) -> None:
        """The step has just run and DVC hashed its files: they need no second look until they change."""
        stage = self._stages[step.address]
        paths = [Path(entry.fs_path) for entry in (*stage.deps, *stage.outs)]
        remember(ctimes(paths), self._record(step))

    def _record(self, step: Step) -> Path:
        return self._records / f"{step.address}.json"

    @property
    def _records(self) -> Path:
        """In a git worktree its own: a path that comes and goes says nothing about the main tree's files."""
        shared = self.workspace.shared_state is not None
        return (self.workspace.root / ".dvc" / "tmp" if shared else self.workspace.state) / "ctimes"

    def edited_sources(self, folders: Iterable[Path]) -> list[Path]:
        """Those that a `.dvc` file tracks and whose content is another than it says."""
        sources = {Path(out.fs_path): stage for stage in self._index.stages if not stage.cmd for out in stage.outs}
        return [folder for folder in folders if folder in sources and folder.exists() and self._edited(sources[folder])]

    def _edited(self, source: Any) -> bool:
        paths = [Path(out.fs_path) for out in source.outs]
        record = self._records / f"{source.relpath.replace('/', '-')}.json"
        seen = forget_touched(self._repository, paths, record)
        edited = any(out.workspace_status() for out in source.outs)
        remember(seen, record)
        return edited

    def dependency_changed(self, address: str, path: Path) -> bool:
        """Whether a file or folder that the step reads differs from what it read when it last ran."""
        stage = self._stages[address]
        dependency = next(entry for entry in stage.deps if Path(entry.fs_path) == path)
        return bool(dependency.status())

    def output_hash(self, address: str, path: Path) -> str | None:
        """The hash that dvc.lock keeps for a file or folder that the step made; None before its first run."""
        out = next(entry for entry in self._stages[address].outs if Path(entry.fs_path) == path)
        return str(out.hash_info.value) if out.hash_info else None

    def close(self) -> None:
        self._repository.close()


def _pipeline(name: str) -> str:
    return name.partition("@")[2]
