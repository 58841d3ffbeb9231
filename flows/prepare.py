"""What must be in place before a pipeline's steps can be looked at: its raw data, its base model, its inputs.json."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flows.job import Say
from tunegate.dvc.project import Project
from tunegate.dvc.storage import fetch, pull_missing
from tunegate.dvc.tracking import track_edit
from tunegate.errors import OutsideError, TunegateError
from tunegate.exported import MANIFEST, read_manifest
from tunegate.inputs import Reference
from tunegate.params import PipelineSettings
from tunegate.pipelines import pipelines_of
from tunegate.versions.inputs import FACTS, LastData, current_inputs, with_data_after
from tunegate.versions.references import ROWS, current_references, standing_approval
from tunegate.workspace import Workspace, write_atomically


def settings_of(workspace: Workspace) -> dict[str, PipelineSettings]:
    """All pipelines, validated: a mistake in one would stop DVC for every one. Raises UserError."""
    return pipelines_of(workspace)


def bring_files(workspace: Workspace, settings: Sequence[PipelineSettings], say: Say) -> None:
    """Missing raw data and base models, from DVC's remotes. A model that another pipeline makes comes by itself."""
    folders = [workspace.raw(each.data) for each in settings]
    folders += [workspace.model(each.model) for each in settings if each.model.startswith("models/")]
    for folder in pull_missing(workspace, dict.fromkeys(folders)):
        say(f"brought {workspace.relative(folder)} from its DVC remote")


def track_edits(project: Project, settings: Sequence[PipelineSettings], say: Say) -> None:
    """Edited raw data becomes a version of its own, so that every result's data can be had again."""
    workspace = project.workspace
    for folder in project.edited_sources(dict.fromkeys(workspace.raw(each.data) for each in settings)):
        track_edit(workspace, folder)
        say(f"{workspace.relative(folder)} was edited: DVC keeps it as a new version")


def write_inputs(
    project: Project, settings: PipelineSettings, pipeline: str, say: Say, *, anew: bool = False, dry: bool = False
) -> None:
    """Resolve the pipeline's inputs.json, and bring the files of the references that it names.

    `anew`: a stage that the comparison with other versions depends on runs in any case. `dry`: it brings no model.
    """
    workspace = project.workspace
    approval = standing_approval(workspace, pipeline)
    inputs = current_inputs(workspace, pipeline, settings).model_copy(update={"approval": approval})
    last = _last_data(project, pipeline, settings, say)
    if last is not None:
        inputs = with_data_after(inputs, last)
    if inputs.previous is not None:
        _bring(workspace, inputs.previous.hash, say)
    inputs.write(workspace.inputs(pipeline))
    found = current_references(workspace, pipeline)
    if not any([inputs.champion, inputs.best, *found.values()]) or not (anew or _compares(project, pipeline)):
        return
    inputs = inputs.model_copy(update=found)
    inputs.write(workspace.inputs(pipeline))
    for reference in {each.hash: each for each in (inputs.champion, inputs.best) if each and not dry}.values():
        _bring_model(workspace, reference, say)


def _compares(project: Project, pipeline: str) -> bool:
    """Whether the model will be scored again, so that it can be compared with whoever is champion now."""
    return any(project.reasons(step) for step in project.steps([pipeline]) if step.stage not in ("gate", "package"))


def _bring_model(workspace: Workspace, reference: Reference, say: Say) -> None:
    """The whole export, and the rows that it was trained on. The gate says what it could not compare."""
    try:
        export = fetch(workspace, reference.hash, (MANIFEST,))
        fetch(workspace, reference.hash, (MANIFEST, *read_manifest(export).files))
        if reference.validated:
            fetch(workspace, reference.validated, tuple(dict.fromkeys((*FACTS, *ROWS))))
    except TunegateError as error:
        say(f"The model is not compared with {reference.version}. {error.problem} {error.remedy}")


@contextmanager
def inputs_put_back(workspace: Workspace, pipelines: Sequence[str]) -> Iterator[None]:
    """For a dry run, which needs inputs.json as a run would write it and leaves it as it was."""
    before = {path: path.read_bytes() for name in pipelines if (path := workspace.inputs(name)).is_file()}
    try:
        yield
    finally:
        for path in map(workspace.inputs, pipelines):
            if path not in before:
                path.unlink(missing_ok=True)
            elif path.read_bytes() != before[path]:
                write_atomically(path, before[path])


def _last_data(project: Project, pipeline: str, settings: PipelineSettings, say: Say) -> LastData | None:
    """What the last run validated, when the data is another now; None when it is the same or there was no run."""
    workspace = project.workspace
    validated = project.output_hash(f"validate@{pipeline}", workspace.stage(pipeline, "validate"))
    if validated is None or not project.dependency_changed(f"ingest@{pipeline}", workspace.raw(settings.data)):
        return None
    return (
        LastData(validated, workspace.state / "references" / validated) if _bring(workspace, validated, say) else None
    )


def _bring(workspace: Workspace, hash_value: str, say: Say) -> bool:
    try:
        fetch(workspace, hash_value, FACTS)
    except OutsideError as error:
        say(f"The data is not compared with the version before it. {error.problem} {error.remedy}")
        return False
    return True
