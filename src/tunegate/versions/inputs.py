"""Resolving `inputs.json`: what a run takes from outside the DAG, looked up once before it starts.

Settings, libraries and the base model's name are always those of now. References (labels, the previous data version;
later the champion and the best version) are looked up anew only when the data itself is another than that of the last
run: so neither a run itself nor a change of a setting moves them, and nothing is made stale by looking.
"""

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tunegate.errors import UserError
from tunegate.inputs import BaseModelIdentity, Inputs, Reference, read_inputs
from tunegate.params import PipelineSettings
from tunegate.tasks import files_named
from tunegate.versions.data_reviews import reviewed
from tunegate.workspace import Workspace, pipeline_of

LIBRARIES = ("torch", "transformers", "tokenizers", "openvino", "pyarrow")  # those that decide results
FACTS = ("facts.parquet", "labels.json", "verdict.json")  # of the previous data version, from validate's folder


@dataclass(frozen=True)
class LastData:
    """The data version that the last run validated: the hash of validate's folder, and its files."""

    hash: str
    folder: Path


def current_inputs(workspace: Workspace, pipeline: str, settings: PipelineSettings) -> Inputs:
    """Everything as it is now, with the references of the last run kept."""
    kept = _kept(workspace, pipeline)
    return Inputs(
        pipeline=pipeline,
        params=settings.model_dump(mode="json", by_alias=True),
        environment=library_versions(),
        base_model=_base_model(workspace, settings.model),
        files=_named_files(workspace, settings),
        labels=kept.labels,
        previous=kept.previous,
        champion=kept.champion,
        best=kept.best,
        behaviour=_behaviour(workspace, settings),
        data_review=reviewed(workspace, pipeline) if settings.review == "required" else None,
        approval=kept.approval,
    )


def with_data_after(inputs: Inputs, last: LastData) -> Inputs:
    """The inputs for data that is newer than `last`: its labels go on, its facts become those to compare with.

    Data that was refused is no version to go on from.
    """
    verdict = json.loads((last.folder / "verdict.json").read_text(encoding="utf-8"))
    if not verdict["accepted"]:
        return inputs
    labels = json.loads((last.folder / "labels.json").read_text(encoding="utf-8"))
    return inputs.model_copy(update={"labels": labels, "previous": Reference(hash=last.hash)})


def library_versions() -> dict[str, str]:
    """Installed versions, found without importing anything. Raises UserError for one that is not installed."""
    try:
        return {name: version(name) for name in LIBRARIES}
    except PackageNotFoundError as error:
        raise UserError(
            f"The library {error.name} is not installed in this environment.", "Make the environment with `make run`."
        ) from error


def _named_files(workspace: Workspace, settings: PipelineSettings) -> dict[str, str]:
    """A missing file is left to the stage that wants it: it says what the file is for."""
    suite = [settings.validation.suite] if settings.validation.suite else []
    named = [*suite, *files_named(settings.task, settings.options), *settings.augment.files.values()]
    found = {name: workspace.root / name for name in named if (workspace.root / name).is_file()}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()}


def _behaviour(workspace: Workspace, settings: PipelineSettings) -> str | None:
    """A missing file is evaluate's to name."""
    path = workspace.root / settings.evaluate.behaviour if settings.evaluate.behaviour else None
    return hashlib.sha256(path.read_bytes()).hexdigest() if path and path.is_file() else None


def _kept(workspace: Workspace, pipeline: str) -> Inputs:
    path = workspace.inputs(pipeline)
    return read_inputs(path) if path.is_file() else Inputs(pipeline=pipeline)


def _base_model(workspace: Workspace, model: str) -> BaseModelIdentity:
    if pipeline := pipeline_of(model):
        return BaseModelIdentity(name=model, source=f"pipeline {pipeline}")
    path = workspace.model(model) / "tunegate-model.json"
    if not path.is_file():
        return BaseModelIdentity(name=model.rpartition("/")[2])
    try:
        return BaseModelIdentity.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(
            f"{workspace.relative(path)} is damaged: {error}.", "Bring the base model again with `tunegate models add`."
        ) from error
