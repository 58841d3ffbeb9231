"""Two versions side by side, from what git keeps of them: scores with intervals, settings that differ, labels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tunegate.errors import UserError
from tunegate.versions.git import commit_of, file_at
from tunegate.versions.registry import read_registry
from tunegate.versions.runs import find_run
from tunegate.versions.tags import VERSION
from tunegate.workspace import Workspace


class _Lenient(BaseModel):
    """Reports of other versions of tunegate have fields that this one does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Score(_Lenient):
    value: float
    low: float
    high: float
    n: int


class _Model(_Lenient):
    metrics: dict[str, Score]


class _Class(_Lenient):
    label: str
    rows: int


class _Evaluated(_Lenient):
    served: str
    fingerprint: str
    models: dict[str, _Model]
    classes: list[_Class]


class _Inputs(_Lenient):
    params: dict[str, Any] = {}
    environment: dict[str, str] = {}
    base_model: dict[str, Any] | None = None


@dataclass(frozen=True)
class Side:
    """One of the two: what people call it, and the commit that it stands on."""

    name: str
    pipeline: str
    commit: str


@dataclass(frozen=True)
class Pair:
    """One thing of both; None where a side does not have it."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Compared:
    """`same_rows`: both were scored on the same test rows, so that their scores may be set beside each other."""

    before: Side
    after: Side
    same_rows: bool
    scores: tuple[Pair, ...]
    settings: tuple[Pair, ...]
    labels: tuple[Pair, ...]  # test rows per label


def side(workspace: Workspace, name: str) -> Side:
    """A version (`support@v1.2.0`) or a run, by its name or commit. Raises UserError."""
    if found := VERSION.fullmatch(name):
        version = read_registry(workspace).find(name)
        return Side(name, found["pipeline"], commit_of(workspace.root, version.tag.commit) or version.tag.commit)
    run = find_run(workspace, name)
    return Side(run.name, run.pipeline, run.commit)


def compare(workspace: Workspace, before: str, after: str) -> Compared:
    """Raises UserError where one of them does not exist or was never evaluated."""
    sides = side(workspace, before), side(workspace, after)
    old, new = (_evaluated(workspace, each) for each in sides)
    return Compared(
        *sides,
        same_rows=old.fingerprint == new.fingerprint,
        scores=tuple(_pairs(old.models[old.served].metrics, new.models[new.served].metrics)),
        settings=tuple(pair for pair in _pairs(*(_settings(workspace, each) for each in sides)) if _differ(pair)),
        labels=tuple(
            _pairs({each.label: each.rows for each in old.classes}, {each.label: each.rows for each in new.classes})
        ),
    )


def _evaluated(workspace: Workspace, side: Side) -> _Evaluated:
    content = file_at(workspace.root, side.commit, f"reports/{side.pipeline}/evaluate.json")
    if content is None:
        raise UserError(f"{side.name} was never evaluated.", "Compare versions, or runs that reached evaluate.")
    try:
        return _Evaluated.model_validate_json(content)
    except ValidationError as error:
        raise UserError(
            f"The evaluate.json of {side.name} cannot be read: {error.errors()[0]['msg']}.", "Compare others."
        ) from error


def _settings(workspace: Workspace, side: Side) -> dict[str, Any]:
    """By dotted key, as params.yaml has them; libraries and the base model beside them."""
    content = file_at(workspace.root, side.commit, f"data/{side.pipeline}/inputs.json")
    inputs = _Inputs.model_validate_json(content) if content else _Inputs()
    others = {"environment": inputs.environment, "base_model": inputs.base_model or {}}
    return dict(_flat("", {**inputs.params, **others}))


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), inner)
    elif value != {}:
        yield prefix, value


def _pairs(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Pair]:
    for name in dict.fromkeys([*before, *after]):
        yield Pair(name, before.get(name), after.get(name))


def _differ(pair: Pair) -> bool:
    return bool(pair.before != pair.after)
