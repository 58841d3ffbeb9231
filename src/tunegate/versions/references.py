"""Who the champion and the best version are, as `inputs.json` names them, and the approval that stands."""

import json

from tunegate.inputs import Reference
from tunegate.versions.decisions import read_decisions
from tunegate.versions.registry import Registry, Version, read_registry
from tunegate.workspace import Workspace

ROWS = ("train.parquet", "validation.parquet", "test.parquet")  # what a model was trained on, and judged by


def references_of(registry: Registry, pipeline: str) -> dict[str, Reference | None]:
    """`champion`: the version that is live in production; `best`: the best ever. None where there is none."""
    return {"champion": _reference(registry.champion(pipeline)), "best": _reference(registry.best(pipeline))}


def current_references(workspace: Workspace, pipeline: str) -> dict[str, Reference | None]:
    """The same, by the local tags."""
    return references_of(read_registry(workspace), pipeline)


def _reference(version: Version | None) -> Reference | None:
    if version is None or version.said is None or not version.said.export:
        return None
    said = version.said
    return Reference(hash=said.export, run=version.tag.commit, version=version.short, validated=said.validated or None)


def standing_approval(workspace: Workspace, pipeline: str) -> dict[str, str] | None:
    """Of the verdict that stands in `reports/`: as `inputs.json` keeps it; None where nobody let it through."""
    path = workspace.report(pipeline, "gate")
    if not path.is_file():
        return None
    verdict_hash = json.loads(path.read_text(encoding="utf-8")).get("hash")
    for decision in read_decisions(workspace, pipeline):
        if decision.verdict_hash == verdict_hash and decision.what in ("approve", "force"):
            return approval(decision.who, decision.why, decision.verdict_hash, decision.what)
    return None


def approval(who: str, why: str, verdict_hash: str, what: str) -> dict[str, str]:
    """As `package` reads it."""
    return {"who": who, "why": why, "hash": verdict_hash, "what": what}
