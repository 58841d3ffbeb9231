"""The pipelines of a project, with every name that params.yaml takes from elsewhere known there.

`params_file` knows what a setting is; which fields and baselines there are the task says, and the base model which
settings of its own there are to change.
"""

from collections.abc import Iterator
from functools import partial

from ruamel.yaml.comments import CommentedMap

from tunegate.mistakes import Place, nearest
from tunegate.models.settings import unknown_changes
from tunegate.params import PipelineSettings
from tunegate.params_file import parse_pipelines, read_params
from tunegate.tasks import answering_of, options_of, record_of
from tunegate.text.augmenters import NAMES
from tunegate.text.readers.mapping import ROW_FIELDS
from tunegate.workspace import Workspace, pipeline_of


def pipelines_of(workspace: Workspace) -> dict[str, PipelineSettings]:
    """All of them, validated. Raises one UserError that lists every mistake, with its line and the nearest name."""
    return pipelines_in(workspace, read_params(workspace.params))


def pipelines_in(workspace: Workspace, document: CommentedMap) -> dict[str, PipelineSettings]:
    """Those of params.yaml as it was read, perhaps changed since; the same mistakes are found."""
    return parse_pipelines(workspace.params, document, options_of, partial(_unknown_names, workspace))


def _unknown_names(workspace: Workspace, place: Place, settings: PipelineSettings) -> Iterator[str]:
    """A sentence for each name that nobody knows."""
    fields = [*ROW_FIELDS, *(column.name for column in record_of(settings.task).PAYLOAD)]
    for field in settings.ingest.columns:
        if field not in fields:
            yield place.sentence(("ingest", "columns", field), f"is no field of a record.{nearest(field, fields)}")
    known = list(answering_of(settings.task).BASELINES)
    for number, name in enumerate(settings.gate.baselines or ()):
        if name not in known:
            yield place.sentence(("gate", "baselines", number), f'is no baseline: "{name}".{nearest(name, known)}')
    yield from _unknown_base(place, settings)
    folder = workspace.model(settings.model)
    for name, there in unknown_changes(folder, settings.train.model_changes).items():
        where = workspace.relative(folder / "config.json")
        yield place.sentence(
            ("train", "model_changes", name), f"is nothing to change in {where}.{nearest(name, there)}"
        )
    yield from _unknown_augmentation(workspace, place, settings)
    yield from _unknown_critical_labels(place, settings)
    behaviour = settings.evaluate.behaviour
    if behaviour is not None and not (workspace.root / behaviour).is_file():
        yield place.sentence(("evaluate", "behaviour"), f"names {behaviour}, which is not there.")


def _unknown_augmentation(workspace: Workspace, place: Place, settings: PipelineSettings) -> Iterator[str]:
    """Operations that the task has not, and files that are not there."""
    counts = {name: getattr(settings.augment, name) for name in NAMES}
    able = record_of(settings.task).AUGMENTERS
    for name in (name for name, count in counts.items() if count and name not in able):
        yield place.sentence(
            ("augment", name),
            f"would not keep the answers true; for {settings.task} these do: {', '.join(able) or 'none'}.",
        )
    for name, file in settings.augment.files.items():
        if not (workspace.root / file).is_file():
            yield place.sentence(("augment", name), f"names {file}, which is not there.")


def _unknown_base(place: Place, settings: PipelineSettings) -> Iterator[str]:
    """A base model that no pipeline makes, or that is made from this pipeline's own."""
    entries = place.document["pipelines"]
    made_by = pipeline_of(settings.model)
    if made_by is not None and made_by not in entries:
        yield place.sentence(("model",), f'names no pipeline: "{made_by}".{nearest(made_by, list(entries))}')
    above: list[str] = [str(place.keys[-1])]
    while made_by is not None and made_by in entries and made_by not in above:
        above.append(made_by)
        made_by = pipeline_of(str(entries[made_by].get("model", "")))
    if made_by is not None and made_by in above:
        way = " from ".join([*above, made_by])
        yield place.sentence(("model",), f"is made from itself: {way}.")


def _unknown_critical_labels(place: Place, settings: PipelineSettings) -> Iterator[str]:
    """Critical slices of labels that may not occur; where any label may, the gate sees which of them do."""
    labels = settings.validation.labels
    columns = {
        "label",
        *(column.name for column in record_of(settings.task).PAYLOAD if column.kind in ("label", "labels")),
    }
    for number, name in enumerate(settings.gate.critical_slices if labels is not None else ()):
        column, sign, value = (part.strip() for part in name.partition("="))
        if sign and column in columns and value not in (labels or ()):
            where = ("gate", "critical_slices", number)
            yield place.sentence(where, f'names no label of validate.labels: "{value}".{nearest(value, labels or [])}')
