"""Promote and roll back: which version is live where, once in the world that shares the git remote."""

from tunegate.errors import UserError
from tunegate.versions.decisions import refresh
from tunegate.versions.registry import Assignment, Version, assign, read_registry
from tunegate.workspace import Workspace


def promote(workspace: Workspace, name: str, environment: str, *, who: str, why: str) -> Assignment:
    """Make a registered version (`support@v1.2.0`) live. Raises UserError, LostRaceError, OutsideError."""
    _reason(why)
    refresh(workspace)
    registry = read_registry(workspace)
    version = registry.find(name)
    if registry.current(version.pipeline, environment) == version:
        since = registry.history(version.pipeline, environment)[-1].tag.message
        raise UserError(
            f"{version.name} is live in {environment} already{_since(since.when, since.who) if since else ''}.",
            "There is nothing to do.",
        )
    return assign(workspace, version, environment, who=who, why=why)


def rollback(
    workspace: Workspace, pipeline: str, *, who: str, why: str, environment: str = "production", to: str | None = None
) -> Assignment:
    """Make the version live again that was live before the one that is (or the one named). Raises as `promote`."""
    _reason(why)
    refresh(workspace)
    target = rollback_target(workspace, pipeline, environment, to)
    return assign(workspace, target, environment, who=who, why=why, what="rollback")


def rollback_target(workspace: Workspace, pipeline: str, environment: str, to: str | None = None) -> Version:
    """Which version a rollback would make live. Raises UserError where nothing was live before."""
    registry = read_registry(workspace)
    current = registry.current(pipeline, environment)
    if current is None:
        raise UserError(f"Nothing of {pipeline} is live in {environment}.", "`tunegate versions list` shows what is.")
    if to is not None:
        return registry.find(to if "@" in to else f"{pipeline}@{to}")
    before = registry.before(pipeline, environment)
    if before is None:
        raise UserError(
            f"No version was live in {environment} before {current.name}.",
            f"Name one: `tunegate versions rollback {pipeline} --to VERSION`.",
        )
    return before


def _reason(why: str) -> None:
    if not why.strip():
        raise UserError("A change of what is live needs a reason.", "Say why, for those who read it later (--why).")


def _since(when: str, who: str) -> str:
    return f", since {when} by {who}"
