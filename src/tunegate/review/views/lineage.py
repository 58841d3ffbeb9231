"""Where a version comes from: data, settings, code, parent."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunegate.review.snapshots import Snapshot
from tunegate.versions.git import GitError, git


@dataclass(frozen=True)
class Origin:
    """`key` names the kind of origin in the catalogue; `link` is a page of the site, where there is one."""

    key: str
    value: str
    link: tuple[str, ...] = ()


def origins(snapshot: Snapshot) -> list[Origin]:
    """In the order of the path: data, base model, settings, code, parent, libraries."""
    return list(_origins(snapshot))


def _origins(snapshot: Snapshot) -> Iterator[Origin]:
    pipeline, hashes, inputs = snapshot.pipeline, snapshot.hashes(), snapshot.inputs()
    yield Origin("lineage.commit", *_commit(snapshot))
    if inputs:
        data = f"data/raw/{inputs.params.get('data', '')}"
        yield Origin("lineage.data", f"{data} {hashes.get(data, '')[:12]}", ("p", pipeline, "data", snapshot.ref))
        if inputs.base_model:
            yield Origin("lineage.base", f"{inputs.base_model.name} ({inputs.base_model.source})")
        for key, reference in (("lineage.champion", inputs.champion), ("lineage.best", inputs.best)):
            if reference:
                yield _reference(key, pipeline, reference.run, getattr(reference, "version", None))
        libraries = ", ".join(f"{name} {version}" for name, version in inputs.environment.items())
        yield Origin("lineage.libraries", libraries)
    for stage in ("validate", "export"):
        if found := hashes.get(f"data/{pipeline}/{stage}"):
            yield Origin(f"lineage.{stage}", found)


def _commit(snapshot: Snapshot) -> tuple[str]:
    if snapshot.commit is None:
        return ("–",)
    try:
        said = git(snapshot.workspace.root, "show", "-s", "--format=%h %s (%an, %ad)", "--date=short", snapshot.commit)
    except GitError:
        return (snapshot.commit,)
    return (said.strip(),)


def _reference(key: str, pipeline: str, run: str | None, version: str | None) -> Origin:
    ref = version or (run or "")
    return Origin(key, version or (run or "")[:10], ("p", pipeline, "model", ref) if ref else ())


def settings_of(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Every setting with its value, defaults filled in, as the run saw them."""
    inputs = snapshot.inputs()
    return list(flat(inputs.params)) if inputs else []


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """`train.epochs` and its value as JSON."""
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", json.dumps(value, ensure_ascii=False)
