"""BentoML outside the service: what a Bento of ours is, where it lies, how it is built and started.

    building    a Bento from an export, and its mirror in the store
    running     a Bento started over HTTP, and ended whatever happens

A Bento's tag is a hash of what went into it, so the same inputs give the same tag, and with a constant creation time
the same bytes. BentoML itself is only ever imported in child processes and by the service.

    <bento>/bento.yaml, apis/, README.md, env/   BentoML's
    <bento>/src/tunegate/                        the sources that serve
    <bento>/src/serving/serving.json, export/    the model
"""

import json
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML

from tunegate.errors import UserError
from tunegate.exported import Filled
from tunegate.params import ServiceSettings
from tunegate.params_file import read_params
from tunegate.workspace import Workspace, no_such_pipeline

SERVING, EXPORT, NOTE = "serving", "export", "serving.json"
FORMAT = 1


class Packaged(BaseModel):
    """`serving.json`: what a Bento serves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    pipeline: str
    description: str = ""
    task: str
    export: str  # the manifest's digest
    limits: ServiceSettings
    filled: dict[str, Filled] = Field(default={})  # the manifest's: what a question must have and may not have
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


def tag_of(bento: Path) -> str:
    """Raises UserError when the folder holds no Bento."""
    try:
        info = YAML(typ="safe").load((bento / "bento.yaml").read_text(encoding="utf-8"))
        return f"{info['name']}:{info['version']}"
    except (OSError, KeyError, TypeError) as error:
        raise UserError(
            f"{bento} holds no Bento.", "Run the pipeline; a model that passes its gate is packaged."
        ) from error


def packaged_bento(workspace: Workspace, pipeline: str) -> Path:
    """The Bento that the pipeline's last run packaged. Raises UserError that says why there is none."""
    bento = workspace.stage(pipeline, "package") / "bento"
    if (bento / "bento.yaml").is_file():
        return bento
    known = read_params(workspace.params)["pipelines"]
    if pipeline not in known:
        raise no_such_pipeline(pipeline, known)
    why, remedy = ".", f"Run it with `tunegate run {pipeline}`; a model that passes its gate is packaged."
    try:
        report = json.loads(workspace.report(pipeline, "package").read_text(encoding="utf-8"))
        if not report["packaged"]:
            why = f": {report['why']}"
            gate = workspace.relative(workspace.report(pipeline, "gate", ".md"))
            remedy = f"What the gate found is in {gate}; nothing is packaged until a run is let through."
    except (OSError, ValueError, KeyError):
        pass
    raise UserError(f"{pipeline} has no packaged version{why}", remedy)


def bento_home(workspace: Workspace) -> Path:
    """`BENTOML_HOME` where the user set it, else under the state folder."""
    return Path(os.environ.get("BENTOML_HOME") or workspace.state / "bentoml")


def environment(home: Path) -> dict[str, str]:
    """This process's, with BentoML's home set and its telemetry off."""
    return {**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", "DO_NOT_TRACK": "1"}
