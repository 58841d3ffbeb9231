"""Whether registered versions still agree with the commits that they stand on: what edited history leaves behind."""

import json

from tunegate.versions.git import files_at
from tunegate.versions.registry import Registry, Version
from tunegate.workspace import Workspace


def disagreements(workspace: Workspace, registry: Registry) -> list[str]:
    """Sentences: the tags' own damage, and versions whose recorded verdict is not the one in their commit."""
    versions = [version for version in registry.versions if version.said is not None]
    names = [f"{version.tag.commit}:reports/{version.pipeline}/gate.json" for version in versions]
    reports = files_at(workspace.root, names)
    found = [_disagreement(version, report) for version, report in zip(versions, reports, strict=True)]
    return [*registry.damage, *(sentence for sentence in found if sentence)]


def _disagreement(version: Version, report: bytes | None) -> str | None:
    said = version.said
    if said is None or not said.verdict_hash:
        return None
    if report is None:
        return f"{version.name} stands on {version.tag.commit[:10]}, which holds no verdict of {version.pipeline}."
    is_there = json.loads(report).get("hash")
    if is_there == said.verdict_hash:
        return None
    return f"{version.name} was registered for the verdict {said.verdict_hash[:12]}; its commit holds {is_there}."
