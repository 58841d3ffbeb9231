"""BentoML outside the service: build a Bento from an export, mirror it into the store, start it.

A Bento is built in a child process from a staging folder: the sources that serving needs, the export, and
`serving.json`, which says what is packaged. Its tag is a hash of that folder, so the same inputs give the same tag,
and with a constant creation time the same bytes. BentoML itself is only ever imported in child processes and by the
service.

    <bento>/bento.yaml, apis/, README.md, env/   BentoML's
    <bento>/src/tunegate/                        the sources that serve
    <bento>/src/serving/serving.json, export/    the model
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML

from tunegate.errors import OutsideError, UserError
from tunegate.exported import MANIFEST, files_in, read_manifest, sha256
from tunegate.params import ServiceSettings
from tunegate.sources import closure
from tunegate.workspace import Workspace, write_atomically

SERVING, EXPORT, NOTE = "serving", "export", "serving.json"
FORMAT = 1
TAG_LENGTH = 16  # hex digits of SHA-256: 64 bits name any number of versions of a pipeline

SERVICE = ("tunegate.service.server", "tunegate.service.check")
TASK_PARTS = ("record", "encode", "answer")
TORCH_MODULES = frozenset({"tunegate.engines.torch", "tunegate.models.loading"})
TORCH_PACKAGES = ("safetensors", "torch", "transformers")  # only for a model that OpenVINO cannot convert


class Packaged(BaseModel):
    """`serving.json`: what a Bento serves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    pipeline: str
    description: str = ""
    task: str
    export: str  # the manifest's digest
    limits: ServiceSettings
    verdict: dict[str, Any] = Field(default={})
    data: dict[str, str] = Field(default={})  # what it was judged on: name to SHA-256


def read_packaged(folder: Path) -> Packaged:
    """The note in the Bento's folder `serving`. Raises UserError."""
    path = folder / NOTE
    try:
        return Packaged.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"{path} is missing: this is not a Bento's folder.",
            "Serve a built Bento: `tunegate serve PIPELINE`, or `bentoml serve <folder of the Bento>`.",
        ) from error
    except ValidationError as error:
        raise UserError(f"{path} is damaged: {error.errors()[0]['msg']}.", "Package the model again.") from error


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


def tag_of(bento: Path) -> str:
    """Raises UserError when the folder holds no Bento."""
    try:
        info = YAML(typ="safe").load((bento / "bento.yaml").read_text(encoding="utf-8"))
        return f"{info['name']}:{info['version']}"
    except (OSError, KeyError, TypeError) as error:
        raise UserError(
            f"{bento} holds no Bento.", "Run the pipeline; a model that passes its gate is packaged."
        ) from error


def bento_home(workspace: Workspace) -> Path:
    """`BENTOML_HOME` where the user set it, else under the state folder."""
    return Path(os.environ.get("BENTOML_HOME") or workspace.state / "bentoml")


@dataclass(frozen=True)
class Address:
    host: str
    port: int


def serve_command(bento: Path, address: Address) -> list[str]:
    """The command that serves the Bento in the foreground, as BentoML's own users start it."""
    return [
        *(sys.executable, "-m", "bentoml", "serve", str(bento)),
        *("--host", address.host, "--port", str(address.port)),
    ]


def environment(home: Path) -> dict[str, str]:
    """This process's, with BentoML's home set and its telemetry off."""
    return {**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", "DO_NOT_TRACK": "1"}


def _stage(staging: Path, export: Path, packaged: Packaged, bentofile: Path) -> None:
    manifest = read_manifest(export)
    needs_torch = manifest.engine == "torch"
    package = Path(__file__).parent
    parts = [f"tunegate.tasks.{manifest.task}.{part}" for part in TASK_PARTS]
    for source in closure(package, [*SERVICE, *parts], frozenset() if needs_torch else TORCH_MODULES):
        _copy(package / source, staging / "src" / "tunegate" / source)
    for name in (*manifest.files, MANIFEST):
        _copy(export / name, staging / SERVING / EXPORT / name)
    write_atomically(staging / SERVING / NOTE, packaged.model_dump_json(indent=2) + "\n")
    _write_bentofile(bentofile, staging / "bentofile.yaml", TORCH_PACKAGES if needs_torch else ())


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _write_bentofile(source: Path, target: Path, more: tuple[str, ...]) -> None:
    """With every package at the version that is installed here, which is what was evaluated."""
    yaml = YAML()
    try:
        content = yaml.load(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{source} cannot be read: {error}.", "Restore it with git checkout.") from error
    content["python"]["packages"] = [f"{name}=={version(name)}" for name in (*content["python"]["packages"], *more)]
    with target.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)


def _digest(folder: Path) -> str:
    """Over paths and contents of all files."""
    total = hashlib.sha256()
    for name in files_in(folder):
        total.update(f"{name}\0{sha256(folder / name)}\n".encode())
    return total.hexdigest()[:TAG_LENGTH]


def _in_child(verb: str, arguments: list[str], home: Path) -> None:
    """BentoML reads its home once per process and changes logging and the working directory: it gets its own."""
    home.mkdir(parents=True, exist_ok=True)
    code = f"from tunegate.bento_child import {verb}; {verb}(*__import__('sys').argv[1:])"
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
