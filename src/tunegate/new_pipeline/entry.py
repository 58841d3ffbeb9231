"""A pipeline's entry in params.yaml: written with the comments there kept, and nothing in it that is a default."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from tunegate.errors import UserError
from tunegate.params import PipelineSettings
from tunegate.params_file import read_params
from tunegate.workspace import Workspace, check_pipeline_name, write_atomically


def check_new_name(name: str, params: Path) -> str:
    """The name itself. Raises UserError for a name that is no name, or taken."""
    taken = read_params(params)["pipelines"]
    if check_pipeline_name(name) in taken:
        raise UserError(
            f"{params.name} already has a pipeline {name}.",
            f"Choose another name, edit the entry there, or start it with `tunegate run {name}`.",
        )
    return name


def entry_of(settings: PipelineSettings) -> dict[str, Any]:
    """The settings as people write them, without what is a default anyway."""
    written: dict[str, Any] = settings.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return written


def add_entry(
    params: Path, name: str, entry: Mapping[str, Any], comments: Mapping[tuple[str, str], str] | None = None
) -> None:
    """Append the entry, with a comment beside some of its settings (section, name). Everything else in the file stays
    as it is. Raises UserError for a name that is taken."""
    check_new_name(name, params)
    document = read_params(params)
    if not document["pipelines"]:
        document["pipelines"].fa.set_block_style()  # `{}` would take the entry into its braces
    written = _in_style(entry)
    for (section, setting), said in (comments or {}).items():
        written[section].yaml_add_eol_comment(said, setting)
    document["pipelines"][name] = written
    yaml = YAML(typ="rt")
    yaml.width = 4096  # no line of the person's is broken
    text = io.StringIO()
    yaml.dump(document, text)
    write_atomically(params, text.getvalue())


def _in_style(entry: Mapping[str, Any]) -> CommentedMap:
    """Sections as lines, the mappings within them in one line, as the file's other entries have it."""
    written = CommentedMap()
    for key, value in entry.items():
        written[key] = CommentedMap(value) if isinstance(value, Mapping) else value
        for inner, mapping in value.items() if isinstance(value, Mapping) else ():
            if isinstance(mapping, Mapping):
                flow = CommentedMap(mapping)
                flow.fa.set_flow_style()
                written[key][inner] = flow
    return written


def ignore_outputs(workspace: Workspace, pipeline: str, stages: Mapping[str, object]) -> Path:
    """`data/<pipeline>/.gitignore` with a line per stage's folder, as DVC itself would write it."""
    path = workspace.stage(pipeline, ".gitignore")
    write_atomically(path, "".join(f"/{stage}\n" for stage in stages))
    return path
