"""What a commit's `dvc.lock` says: for every stage the hashes of what it read and made, and the settings it saw."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tunegate.errors import UserError
from tunegate.versions.git import files_at, git
from tunegate.workspace import Workspace

Hashes = dict[str, str]
"""Path to hash, as DVC writes them (`....dir` for a folder)."""

CODE, REPORTS = "src/", "reports/"  # DVC hashes both and keeps neither


@dataclass(frozen=True)
class Made:
    """One stage of one pipeline at a commit. `settings` are its values of `inputs.json` by dotted key."""

    command: str
    read: Hashes = field(default_factory=dict)
    made: Hashes = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


def lineage_at(workspace: Workspace, commit: str, pipeline: str) -> dict[str, Made]:
    """Stage to what it read and made, in `dvc.lock`'s order; empty where the pipeline had not run by then."""
    return lineages_at(workspace, [commit], pipeline)[commit]


def lineages_at(workspace: Workspace, commits: list[str], pipeline: str) -> dict[str, dict[str, Made]]:
    """The same for several commits, from one git process."""
    contents = files_at(workspace.root, [f"{commit}:dvc.lock" for commit in commits])
    return {
        commit: read_lock(content, pipeline, commit[:10]) if content else {}
        for commit, content in zip(commits, contents, strict=True)
    }


def read_lock(content: bytes, pipeline: str, where: str = "the working tree") -> dict[str, Made]:
    """Raises UserError for a damaged file; `where` names it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        stages = YAML(typ="safe").load(content)["stages"]
        suffix = f"@{pipeline}"
        return {name.removesuffix(suffix): _made(entry) for name, entry in stages.items() if name.endswith(suffix)}
    except (YAMLError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"dvc.lock of {where} cannot be read: {error}.", "Look at it with `git show`.") from error


def _made(entry: dict[str, Any]) -> Made:
    settings = {key: value for keys in entry.get("params", {}).values() for key, value in keys.items()}
    return Made(str(entry["cmd"]), _hashes(entry.get("deps", [])), _hashes(entry.get("outs", [])), settings)


def _hashes(entries: list[dict[str, Any]]) -> Hashes:
    return {str(entry["path"]): str(entry.get("md5", "")) for entry in entries}


def kept_at(workspace: Workspace, commits: Iterable[str]) -> list[str]:
    """Hashes of everything that DVC keeps of these commits: what stages made, and what `.dvc` files track.

    Data that a `.dvc` file leaves in a remote of its own (the example's) is not among them: it stays there.
    """
    from ruamel.yaml import YAML

    yaml, wanted, hashes = YAML(typ="safe"), list(dict.fromkeys(commits)), []
    for content in files_at(workspace.root, [f"{commit}:dvc.lock" for commit in wanted]):
        for entry in (yaml.load(content) if content else {}).get("stages", {}).values():
            outs = entry.get("outs", [])
            hashes += [out["md5"] for out in outs if "md5" in out and not out["path"].startswith(REPORTS)]
    tracked = [f"{commit}:{name}" for commit in wanted for name in _tracked(workspace, commit)]
    for content in files_at(workspace.root, tracked):
        outs = (yaml.load(content) if content else {}).get("outs", [])
        hashes += [out["md5"] for out in outs if "md5" in out and "remote" not in out]
    return list(dict.fromkeys(hashes))


def _tracked(workspace: Workspace, commit: str) -> list[str]:
    listed = git(workspace.root, "ls-tree", "-r", "-z", "--name-only", commit, "data")
    return [name for name in listed.split("\0") if name.endswith(".dvc")]


def training_of(made: dict[str, Made]) -> str:
    """A hash of everything that training read (code left out: it counts by what it made) and of the weights it made."""
    train = made.get("train")
    if train is None:
        return ""
    weights = {path: value for path, value in train.made.items() if not path.startswith(REPORTS)}
    facts = [without_code(train.read), weights, train.settings]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def without_code(hashes: Hashes) -> Hashes:
    """Data and models alone."""
    return {path: value for path, value in hashes.items() if not path.startswith(CODE)}
