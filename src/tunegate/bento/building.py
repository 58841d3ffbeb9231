"""A Bento from an export: a staging folder, a hash of it, BentoML's builder in a child process, without network."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tunegate.bento import EXPORT, NOTE, SERVING, Packaged, bento_home, environment, tag_of
from tunegate.bento.card import card
from tunegate.engines import EngineName
from tunegate.errors import OutsideError, UserError
from tunegate.exported import MANIFEST, files_in, read_manifest, sha256
from tunegate.sources import closure
from tunegate.workspace import Workspace, write_atomically

TAG_LENGTH = 16  # hex digits of SHA-256: 64 bits name any number of versions of a pipeline
SERVICE = ("tunegate.service.server", "tunegate.service.check")
TASK_PARTS = ("record", "encode", "answer")
TORCH_MODULES = frozenset({"tunegate.engines.torch", "tunegate.models.loading"})
ENGINE_PACKAGES: dict[EngineName, tuple[str, ...]] = {"openvino": ("openvino",), "torch": ("torch", "transformers")}
"""What each engine needs beside the packages that bentofile.yaml lists for all."""


def build(export: Path, packaged: Packaged, bentofile: Path, out: Path) -> str:
    """A Bento as the folder `out`; its tag. Raises OutsideError when BentoML cannot build it."""
    with tempfile.TemporaryDirectory(prefix="tunegate-bento-") as temporary:
        staging = Path(temporary) / "staging"
        _stage(staging, export, packaged, bentofile)
        tag = f"{packaged.pipeline}:{_digest(staging)}"
        _in_child("build", [str(staging), tag, str(out)], Path(temporary) / "home")
    return tag


def store(bento: Path, workspace: Workspace) -> str:
    """Mirror the Bento's folder into the store, where it is not there yet; its tag."""
    home = bento_home(workspace)
    tag = tag_of(bento)
    name, _, number = tag.partition(":")
    if not (home / "bentos" / name / number / "bento.yaml").is_file():
        _in_child("store", [str(bento)], home)
    return tag


def _stage(staging: Path, export: Path, packaged: Packaged, bentofile: Path) -> None:
    manifest = read_manifest(export)
    needs_torch = manifest.engine == "torch"
    package = Path(__file__).parents[1]
    parts = [f"tunegate.tasks.{manifest.task}.{part}" for part in TASK_PARTS]
    for source in closure(package, [*SERVICE, *parts], frozenset() if needs_torch else TORCH_MODULES):
        _copy(package / source, staging / "src" / "tunegate" / source)
    for name in (*manifest.files, MANIFEST):
        _copy(export / name, staging / SERVING / EXPORT / name)
    write_atomically(staging / SERVING / NOTE, packaged.model_dump_json(indent=2) + "\n")
    content = _bentofile(bentofile)
    content["description"] = card(packaged, manifest)
    packages = [*content["python"]["packages"], *ENGINE_PACKAGES[manifest.engine]]
    content["python"]["packages"] = sorted(f"{name}=={_released(name)}" for name in packages)
    with (staging / "bentofile.yaml").open("w", encoding="utf-8") as file:
        YAML().dump(content, file)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _bentofile(path: Path) -> Any:
    try:
        return YAML().load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error}.", "Restore it with git checkout.") from error


def _released(package: str) -> str:
    """The version that is installed here, which is what was evaluated, without the name of a build (`+cpu`)."""
    return version(package).partition("+")[0]


def _digest(folder: Path) -> str:
    """Over paths and contents of all files."""
    total = hashlib.sha256()
    for name in files_in(folder):
        total.update(f"{name}\0{sha256(folder / name)}\n".encode())
    return total.hexdigest()[:TAG_LENGTH]


def _in_child(verb: str, arguments: list[str], home: Path) -> None:
    """BentoML reads its home once per process and changes logging and the working directory: it gets its own."""
    home.mkdir(parents=True, exist_ok=True)
    code = f"from tunegate.service.building import {verb}; {verb}(*__import__('sys').argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**environment(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no message")
        raise OutsideError(f"BentoML could not {verb} the Bento: {last}.", f"All it said:\n{done.stderr[-4000:]}")
