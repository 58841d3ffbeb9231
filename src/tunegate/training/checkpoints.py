"""Checkpoints: whole or not there, proved by their hashes, never pickled.

    <folder>/step-00000150/   weights.safetensors optimiser.safetensors run.safetensors [best.safetensors]
                              run.json manifest.json (file name to SHA-256, written last)

A checkpoint is written under another name and renamed; the two newest are kept, so that a damaged one has one before
it. Files are not forced to disk one by one: after a power cut the hashes tell, and the one before is used.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunegate.training.state import Run

if TYPE_CHECKING:
    import torch

KEPT = 2
MANIFEST = "manifest.json"
NUMBERS = "run.json"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose hashes were found right. `numbers` are those of the run, and `threads`."""

    path: Path
    numbers: dict[str, Any]

    @property
    def step(self) -> int:
        return int(self.numbers["step"])

    @property
    def threads(self) -> int:
        return int(self.numbers["threads"])

    def restore(self, run: Run) -> None:
        from safetensors.torch import load_file

        run.restore({path.stem: load_file(path) for path in sorted(self.path.glob("*.safetensors"))}, self.numbers)


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one training, in a folder whose name is a hash of all that decides its result."""

    folder: Path
    threads: int

    def latest(self, say: Callable[[str], None]) -> Checkpoint | None:
        """The newest whole one; each damaged one is named and passed over."""
        for path in sorted(self.folder.glob("step-*"), reverse=True):
            if damage := _damage(path):
                say(f"checkpoint {path.name} is damaged ({damage}) and is not used; looking at the one before it")
            else:
                return Checkpoint(path, json.loads((path / NUMBERS).read_text(encoding="utf-8")))
        return None

    def save(self, run: Run) -> None:
        """Write the run as it stands, then drop all but the newest two."""
        self.folder.mkdir(parents=True, exist_ok=True)
        final = self.folder / f"step-{run.step:08d}"
        unfinished = self.folder / f".{final.name}.unfinished"
        for leftover in (unfinished, final):
            shutil.rmtree(leftover, ignore_errors=True)
        unfinished.mkdir()
        for name, tensors in run.tensors().items():
            _write_tensors(tensors, unfinished / f"{name}.safetensors")
        (unfinished / NUMBERS).write_text(json.dumps({**run.numbers(), "threads": self.threads}), encoding="utf-8")
        manifest = {path.name: sha256(path) for path in sorted(unfinished.iterdir())}
        (unfinished / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        unfinished.rename(final)
        for old in sorted(self.folder.glob("step-*"))[:-KEPT]:
            shutil.rmtree(old)


def sha256(path: Path) -> str:
    """Of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_tensors(tensors: "dict[str, torch.Tensor]", path: Path) -> None:
    from safetensors.torch import save_file

    save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, path)


def _damage(path: Path) -> str | None:
    """What is wrong with a checkpoint, or None."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return f"{MANIFEST} is missing"
    except ValueError:
        return f"{MANIFEST} cannot be read"
    for name, expected in manifest.items():
        if not (path / name).is_file():
            return f"{name} is missing"
        if sha256(path / name) != expected:
            return f"the hash of {name} is not the manifest's"
    return None
