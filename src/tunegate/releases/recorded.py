"""What the records say of all pipelines and versions at once: which names there are, and what each version scored."""

import json
from collections.abc import Sequence

from tunegate.errors import UserError
from tunegate.pipelines import pipelines_of
from tunegate.versions.git import files_at
from tunegate.versions.registry import Version, read_registry
from tunegate.versions.runs import read_runs
from tunegate.workspace import Workspace, no_such_pipeline


def check_recorded(workspace: Workspace, pipeline: str | None) -> None:
    """Raises UserError, with the nearest name, for a pipeline that neither a record nor params.yaml knows."""
    recorded = {run.pipeline for run in read_runs(workspace)}
    recorded |= {version.pipeline for version in read_registry(workspace).versions}
    if pipeline is None or pipeline in recorded:
        return  # also of a pipeline that has left params.yaml
    known = recorded | _in_settings(workspace, recorded)
    if pipeline not in known:
        raise no_such_pipeline(pipeline, known)


def _in_settings(workspace: Workspace, recorded: set[str]) -> set[str]:
    """None of a params.yaml with mistakes where records know names: they are read without it."""
    try:
        return set(pipelines_of(workspace))
    except UserError:
        if not recorded:
            raise
        return set()


def scores_of(workspace: Workspace, versions: Sequence[Version]) -> dict[str, str]:
    """`macro_f1 0.874` by the version's name, from evaluate.json on its commit, by one git process.

    A version without one, or with one that another tunegate wrote otherwise, has none: a list is no place to fail.
    """
    paths = [f"{each.tag.commit}:reports/{each.pipeline}/evaluate.json" for each in versions]
    found = {}
    for version, content in zip(versions, files_at(workspace.root, paths), strict=True):
        try:
            primary = json.loads(content or b"")["primary"]
            found[version.name] = f"{primary['name']} {primary['value']:.3f}"
        except (ValueError, KeyError, TypeError):
            continue
    return found
