"""Where arms are tried: beside the pipeline, from its own rows, with nothing written where its results lie."""

import fcntl
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tunegate.errors import UserError
from tunegate.workspace import Workspace

ROWS = "validate"  # the stage whose rows all arms share
WORK = "work"


@dataclass(frozen=True)
class Apart(Workspace):
    """A project in which every stage after `ROWS` writes to a folder of its own, checkpoints too."""

    own: Path = Path()

    @property
    def state(self) -> Path:
        return self.own / "state"

    def stage(self, pipeline: str, stage: str) -> Path:
        return super().stage(pipeline, stage) if stage == ROWS else self.own / stage

    def inputs(self, pipeline: str) -> Path:
        return self.own / "inputs.json"

    def plot(self, pipeline: str, name: str) -> Path:
        return self.own / f"{name}.csv"

    def report(self, pipeline: str, stage: str, suffix: str = ".json") -> Path:
        return self.own / "reports" / f"{stage}{suffix}"


@dataclass(frozen=True)
class Place:
    """All that is kept of a pipeline's ablations: a folder per arm and seed, by the hash of what decides it."""

    workspace: Workspace
    pipeline: str

    @property
    def folder(self) -> Path:
        return self.workspace.state / "ablations" / self.pipeline

    def of(self, key: str) -> Path:
        return self.folder / key

    def apart(self, key: str) -> Apart:
        return Apart(self.workspace.root, own=self.of(key) / WORK)

    def forget_work(self, keys: Collection[str]) -> None:
        """Delete what was left half made of all others than these."""
        for path in self.folder.glob(f"*/{WORK}"):
            if path.parent.name not in keys:
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Two at once would write the same files. Raises UserError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise UserError(
                    f"Another ablation of {self.pipeline} is under way.", "Wait for it, or end it, and try again."
                ) from None
            yield
