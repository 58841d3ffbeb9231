"""What is tried: a pipeline's settings as params.yaml has them, and changes of them, each an arm of its own."""

import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tunegate.errors import UserError
from tunegate.params import PipelineSettings
from tunegate.params_file import read_params
from tunegate.pipelines import pipelines_in, pipelines_of
from tunegate.task import RecordPart
from tunegate.tasks import record_of
from tunegate.text.augmenters import NAMES, REPLACEMENT
from tunegate.workspace import Workspace, check_pipeline_name, no_such_pipeline

FREE = ("augment", "tokenize", "train", "model")
"""Sections that may be changed: the others decide which rows there are, or nothing that is scored."""

KEY = re.compile(r"[a-z_]+(\.[A-Za-z0-9_-]+)*")


@dataclass(frozen=True)
class Change:
    """`said` names it. `takes_out`: the settings as they are have what is judged, and the arm lacks it; else the other
    way round. `edits`: key to the text of its value in YAML, None where it is taken out."""

    said: str
    takes_out: bool
    edits: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Arms:
    """The settings as they are, and by change what they become."""

    base: PipelineSettings
    changed: tuple[tuple[Change, PipelineSettings], ...]


def without(key: str) -> Change:
    """The setting or section at its default."""
    return Change(key, takes_out=True, edits=((_checked(key, f"--without {key}"), None),))


def with_settings(said: str) -> Change:
    """`augment.swap=1 augment.deletion=1`. Raises UserError."""
    pairs = [part.partition("=") for part in said.split()]
    if not pairs or not all(sign for _, sign, _ in pairs):
        raise UserError(f'--set "{said}" sets nothing.', 'Write it as --set "augment.swap=1 augment.deletion=1".')
    edits = tuple((_checked(key, f'--set "{said}"'), value) for key, _, value in pairs)
    return Change(" ".join(said.split()), takes_out=False, edits=edits)


def _checked(key: str, option: str) -> str:
    if not KEY.fullmatch(key) or key.split(".", maxsplit=1)[0] not in FREE:
        raise UserError(
            f"{option}: {key} is no setting that can be tried on the same rows.",
            f"What can be stands in: {', '.join(FREE)}; `tunegate params augment` lists a section.",
        )
    return key


def augmentation(settings: PipelineSettings, each: bool) -> list[Change]:
    """Augmentation as it is set, against none; where none is set, one new row by each of the task's operations.

    `each`: every operation alone too. Raises UserError where the task has no operation.
    """
    used = [name for name in NAMES if getattr(settings.augment, name)]
    used += ["copies"] if settings.augment.copies else []
    if used:
        alone = [without(f"augment.{name}") for name in used] if each and len(used) > 1 else []
        return [without("augment"), *alone]
    able = _able(record_of(settings.task), settings)
    alone = [with_settings(f"augment.{name}=1") for name in able] if each and len(able) > 1 else []
    return [with_settings(" ".join(f"augment.{name}=1" for name in able)), *alone]


def _able(part: RecordPart, settings: PipelineSettings) -> list[str]:
    able = [name for name in part.AUGMENTERS if name != REPLACEMENT or settings.augment.synonyms]
    if not able:
        raise UserError(
            f"{part.TITLE} has no operation that makes new rows and keeps their answers true.",
            'Name another setting to try, for example --set "train.label_smoothing=0.1".',
        )
    return able


def arms(workspace: Workspace, pipeline: str, changes: Sequence[Change]) -> Arms:
    """Each change applied alone to the settings as they are. Raises UserError for one that cannot be, or is none."""
    base = settings_of(workspace, pipeline)
    changed = tuple((change, _changed(workspace, pipeline, change)) for change in changes)
    for change, settings in changed:
        if settings == base:
            raise UserError(f"{_option(change)} changes nothing: that is how {pipeline} is set.", "Try another value.")
    return Arms(base, changed)


def settings_of(workspace: Workspace, pipeline: str) -> PipelineSettings:
    """Raises UserError for a pipeline that is not there, or any mistake in params.yaml."""
    pipelines = pipelines_of(workspace)
    if check_pipeline_name(pipeline) not in pipelines:
        raise no_such_pipeline(pipeline, pipelines)
    return pipelines[pipeline]


def _changed(workspace: Workspace, pipeline: str, change: Change) -> PipelineSettings:
    document = copy.deepcopy(read_params(workspace.params))
    for key, value in change.edits:
        _edit(document["pipelines"][pipeline], key.split("."), value, _option(change))
    try:
        return pipelines_in(workspace, document)[pipeline]
    except UserError as error:  # the file itself has no mistake
        raise UserError(f"{_option(change)} cannot be: {error.problem}", "See `tunegate params`.") from error


def _edit(entry: Any, keys: Sequence[str], value: str | None, option: str) -> None:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    *sections, last = keys
    for section in sections:
        if not isinstance(entry.get(section), dict):
            if value is None:
                break
            entry[section] = {}
        entry = entry[section]
    if value is None:
        if last not in entry:
            raise UserError(f"{option}: params.yaml does not set it, so it is at its default.", "Try --set instead.")
        del entry[last]
        return
    try:
        entry[last] = YAML(typ="safe").load(value)
    except YAMLError:
        raise UserError(f"{option}: {value} is no value.", "Write it as in params.yaml.") from None


def _option(change: Change) -> str:
    return f"--without {change.said}" if change.takes_out else f'--set "{change.said}"'


def seeds_of(settings: PipelineSettings, count: int) -> range:
    """From the pipeline's own seed up, so that more seeds later keep those that were tried."""
    return range(settings.train.seed, settings.train.seed + count)


def every(found: Arms) -> Iterable[tuple[str, PipelineSettings]]:
    """The arms by name, the settings as they are first."""
    yield "as it is set", found.base
    for change, settings in found.changed:
        yield (f"without {change.said}" if change.takes_out else f"with {change.said}"), settings
