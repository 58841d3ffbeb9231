"""A git repository with a few commits, and clones of it that share a bare one on disk."""

from pathlib import Path

from tests.projects import git
from tunegate.versions.tags import Message, now
from tunegate.workspace import Workspace

ANNA = "Anna <anna@example.org>"
BEN = "Ben <ben@example.org>"


def make_repository(root: Path, who: str = "Anna") -> Workspace:
    """One commit, an identity of its own."""
    root.mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    introduce(root, who)
    (root / "params.yaml").write_text("pipelines: {}\n")
    (root / ".gitignore").write_text(".tunegate/\n")
    commit(root, "Start")
    return Workspace(root)


def introduce(root: Path, who: str) -> None:
    git(root, "config", "user.name", who)
    git(root, "config", "user.email", f"{who.lower()}@example.org")


def commit(root: Path, message: str) -> str:
    git(root, "add", "--all")
    git(root, "commit", "-q", "--allow-empty", "-m", message)
    return head(root)


def head(root: Path) -> str:
    return git(root, "rev-parse", "HEAD").strip()


def clone_of(shared: Path, where: Path, who: str) -> Workspace:
    """A clone that shares its `origin`."""
    git(shared, "clone", "-q", str(shared), str(where))
    introduce(where, who)
    git(where, "config", "tunegate.remote", "origin")
    return Workspace(where)


def event(workspace: Workspace, **said: object) -> Message:
    """A message about the current commit."""
    facts = {
        "pipeline": "support",
        "what": "register",
        "who": ANNA,
        "when": now(),
        "why": "it passed",
        "commit": head(workspace.root),
        "task": "text_classification",
        "labels": ["a", "b"],
        "trained": "t1",
        "verdict": "PASS",
    }
    return Message.model_validate({**facts, **said})
