"""Where everything lies: the project's folders and files, and how a file is written whole or not at all.

Paths only. Nothing here reads settings, data or git.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tunegate.errors import UserError, did_you_mean

PIPELINE_NAME = re.compile(r"[a-z]([a-z0-9-]{0,39}[a-z0-9])?")
RESERVED_NAMES = frozenset({"raw", "models"})
UNFINISHED = ".unfinished"  # ends the hidden name of a folder that is being made; git ignores those


@dataclass(frozen=True)
class Workspace:
    """A project's root folder, and the one place that knows its layout."""

    root: Path
    shared_state: Path | None = None  # of a git worktree: the state folder of the tree that it was made from

    @classmethod
    def find(cls, start: Path | None = None) -> "Workspace":
        """The nearest folder at or above `start` that holds `dvc.yaml` and `params.yaml`.

        Raises UserError when there is none.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / "dvc.yaml").is_file() and (folder / "params.yaml").is_file():
                return cls(folder)
        raise UserError(
            f"{here} is not inside a tunegate project: no folder above it holds dvc.yaml and params.yaml.",
            "Change into your clone of the project and try again.",
        )

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    @property
    def state(self) -> Path:
        """Prefect home, Bento store, DVC remote, checkpoints in progress; `TUNEGATE_STATE` moves it."""
        return Path(os.environ.get("TUNEGATE_STATE") or self.shared_state or self.root / ".tunegate").resolve()

    def raw(self, name: str) -> Path:
        return self.root / "data" / "raw" / name

    def model(self, name: str) -> Path:
        """A base model's folder; `name` is relative to `data/`, as in params.yaml: `models/minilm`, or another
        pipeline's output, `own-words/train`."""
        folder = self.root / "data" / name
        return folder / "model" if pipeline_of(name) else folder

    def stage(self, pipeline: str, stage: str) -> Path:
        return self.root / "data" / pipeline / stage

    def inputs(self, pipeline: str) -> Path:
        return self.root / "data" / pipeline / "inputs.json"

    def plot(self, pipeline: str, name: str) -> Path:
        """Data of one plot of `dvc plots`: beside the stages' folders, since DVC draws no file within an output."""
        return self.root / "data" / pipeline / f"{name}.csv"

    def report(self, pipeline: str, stage: str, suffix: str = ".json") -> Path:
        return self.root / "reports" / pipeline / f"{stage}{suffix}"

    def relative(self, path: Path) -> str:
        """The path as people write it: relative to the root where it lies inside."""
        try:
            return path.resolve().relative_to(self.root).as_posix()
        except ValueError:
            return str(path)


def pipeline_of(model: str) -> str | None:
    """The pipeline that makes a base model, by the model's name in params.yaml: `own-words/train`; None for one of
    `data/models`."""
    pipeline, _, stage = model.partition("/")
    return pipeline if stage == "train" and pipeline not in RESERVED_NAMES else None


def check_pipeline_name(name: str) -> str:
    """The name itself, matched whole. Raises UserError."""
    if not PIPELINE_NAME.fullmatch(name) or name in RESERVED_NAMES:
        raise UserError(
            f"{name!r} is not a pipeline name.",
            "Use 1 to 41 lower-case letters, digits and dashes, starting with a letter and ending with a "
            f"letter or digit; {' and '.join(sorted(RESERVED_NAMES))} are reserved.",
        )
    return name


def no_such_pipeline(name: str, known: Collection[str]) -> UserError:
    """What every command says of a pipeline that is not there; `known` are those that are."""
    return UserError(
        f'There is no pipeline "{name}".{did_you_mean(name, known)}',
        f"Choose one of: {', '.join(sorted(known))}; or add it with `tunegate new`.",
    )


def folder_hash(folder: Path) -> str:
    """The hash that DVC gives a folder: of the list of its files with their MD5s. It names a version, no more."""
    files = sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file())
    listed = []
    for name, path in files:
        with path.open("rb") as content:
            listed.append({"md5": hashlib.file_digest(content, "md5").hexdigest(), "relpath": name})
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write the file whole or not at all: a temporary name beside it, flushed to disk, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:  # a full disk: what is there of it only takes room
            Path(file.name).unlink()
            raise
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)


def clear_unfinished(folder: Path) -> list[str]:
    """Take out what killed makers of folders left in this one; whose they were. Nobody may be making one now."""
    found = sorted(path for path in folder.glob(f".*{UNFINISHED}") if path.is_dir())
    for path in found:
        shutil.rmtree(path)
    return [path.name[1 : -len(UNFINISHED)] for path in found]


@contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """A new, empty folder that takes the place of `folder` when the block ends without an error.

    The half-made folder stands beside the final one, so that a kill leaves no half folder under the final name.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.parent / f".{folder.name}{UNFINISHED}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    yield unfinished
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.replace(folder)
