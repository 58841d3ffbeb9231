"""Reading params.yaml: comments and line numbers kept, and all mistakes collected before anything fails."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from tunegate.errors import UserError
from tunegate.mistakes import Place, sentences
from tunegate.params import PipelineSettings
from tunegate.workspace import check_pipeline_name

YAML_HINTS = {
    "found character '\\t'": " Use blanks, not tabs.",
    "expected <block end>": " Its indentation differs from the lines above.",
}
"""What the parser says, and what it mostly means."""

OptionsOf = Callable[[str], type[BaseModel]]
"""Task name to the pydantic model of its own settings; raises UserError for an unknown task."""


More = Callable[[Place, PipelineSettings], Iterable[str]]
"""What else is wrong with the settings of a pipeline, as sentences."""


def read_params(path: Path) -> CommentedMap:
    """The file as written, comments and line numbers kept. Raises UserError."""
    document = read_yaml(path)
    if not isinstance(document, CommentedMap) or not isinstance(document.get("pipelines"), CommentedMap):
        raise UserError(
            f"{path.name} has no mapping `pipelines`.",
            "Add `pipelines:` with one entry per pipeline under it.",
        )
    return document


def read_yaml(path: Path) -> Any:
    """Any YAML file as written, comments and line numbers kept. Raises UserError."""
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True  # for those who write it back
    try:
        return yaml.load(path.read_text(encoding="utf-8"))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = str(getattr(error, "problem", error))
        hint = next((hint for said, hint in YAML_HINTS.items() if said in problem), "")
        raise UserError(f"{path.name}:{line} is not valid YAML: {problem}.", f"Mend that line.{hint}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}.", "Restore it, for example with git checkout.") from error


def load_pipelines(
    path: Path, options_of: OptionsOf, more: More = lambda place, settings: ()
) -> dict[str, PipelineSettings]:
    """All pipelines with their defaults filled in. Raises one UserError that lists every mistake."""
    return parse_pipelines(path, read_params(path), options_of, more)


def parse_pipelines(
    path: Path, document: CommentedMap, options_of: OptionsOf, more: More = lambda place, settings: ()
) -> dict[str, PipelineSettings]:
    """Those of a document that `read_params` gave, perhaps changed since; `path` is its file."""
    mistakes = [
        Place(path, document, ()).sentence((key,), "is unknown: only `pipelines` stands at the left margin.")
        for key in document
        if key != "pipelines"
    ]
    pipelines: dict[str, PipelineSettings] = {}
    for name, raw in document["pipelines"].items():
        place = Place(path, document, ("pipelines", name))
        settings, found = _parse_pipeline(place, str(name), plain(raw), options_of)
        mistakes += found
        if settings:
            mistakes += more(place, settings)
            pipelines[str(name)] = settings
    if mistakes:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise UserError(
            f"{path.name} has {count}:\n  " + "\n  ".join(mistakes),
            "Mend what is listed and try again; `tunegate params` lists every setting.",
        )
    return pipelines


def _parse_pipeline(
    place: Place, name: str, raw: object, options_of: OptionsOf
) -> tuple[PipelineSettings | None, list[str]]:
    """The settings, or None and what is wrong: in the name, the common sections and the task's own, all at once."""
    settings: PipelineSettings | None = None
    mistakes: list[str] = []
    try:
        check_pipeline_name(name)
    except UserError as error:
        mistakes.append(place.sentence((), f"stands for a pipeline, and {error.problem} {error.remedy}"))
    try:
        settings = PipelineSettings.model_validate(raw)
    except ValidationError as error:
        mistakes += sentences(error, place, PipelineSettings)
    options, wrong = _parse_options(place, raw, options_of)
    mistakes += wrong
    if settings is None or mistakes:
        return None, mistakes
    return settings.model_copy(update={"options": options}), []


def _parse_options(place: Place, raw: object, options_of: OptionsOf) -> tuple[dict[str, Any], list[str]]:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("task"), str):
        return {}, []  # what is wrong there is said of the common sections
    try:
        model = options_of(raw["task"])
    except UserError as error:
        return {}, [place.sentence(("task",), f"names no task. {error.problem} {error.remedy}")]
    try:
        options = raw.get("options", {})
        return model.model_validate(options if isinstance(options, dict) else {}).model_dump(mode="json"), []
    except ValidationError as error:
        return {}, sentences(error, replace(place, keys=(*place.keys, "options")), model)


def plain(value: object) -> object:
    """ruamel's containers and scalars as plain Python ones."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
