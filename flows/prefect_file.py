"""prefect.yaml: what is deployed and when it runs, read and edited as people review it. No Prefect is imported here."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from tunegate.errors import UserError, did_you_mean
from tunegate.params_file import read_yaml
from tunegate.pipelines import pipelines_of
from tunegate.workspace import Workspace, write_atomically

FILE = "prefect.yaml"
ENTRYPOINT = "flows.deployed.run"
POOL = "local"
APPROVAL = "approval"  # the flow in which an undecided model waits for a person, and its deployment
SCHEDULE = "default"  # the name of a pipeline's only schedule
KINDS = ("cron", "interval", "rrule")
UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,39})")
HEAD = """\
# Deployments and schedules. `tunegate up` puts them on its server, and so does `prefect deploy --all` with
# PREFECT_API_URL set; `tunegate schedule` writes here. By hand, `tunegate run` needs none of this.
name: tunegate
deployments: []
"""


@dataclass(frozen=True)
class Schedule:
    """`when` is the value of `kind`: cron, interval (seconds) or rrule. `anchor` is from where intervals count."""

    name: str
    kind: str
    when: str | int | float
    timezone: str = "UTC"
    anchor: str | None = None
    active: bool = True

    def words(self) -> str:
        """As lists show it."""
        what = f"every {_units(float(self.when))}" if self.kind == "interval" else f"{self.kind} {self.when}"
        return f"{what} ({self.timezone}){'' if self.active else ', paused'}"


def _units(seconds: float) -> str:
    """In the largest unit that fits: 21600 as 6 h."""
    fitting = [(name, seconds / size) for name, size in UNITS.items() if seconds % size == 0]
    name, number = fitting[0] if fitting else ("s", seconds)
    return f"{number:g} {name}"


@dataclass(frozen=True)
class Deployment:
    """One entry. `limit` is how many of its runs may go on at once; one more is cancelled, not queued."""

    name: str
    entrypoint: str
    parameters: dict[str, Any]
    pool: str
    description: str
    tags: tuple[str, ...]
    limit: int | None
    strategy: str
    variables: dict[str, Any]
    schedules: tuple[Schedule, ...]


def declared(workspace: Workspace) -> list[Deployment]:
    """What the file says, and every pipeline that it does not name, without a schedule. Raises UserError."""
    pipelines = pipelines_of(workspace)
    entries = [_deployment(entry) for entry in _entries(_load(workspace))]
    named = {entry.name for entry in entries}
    entries += [_deployment(_entry(name)) for name in pipelines if name not in named]
    for entry in entries:
        pipeline = entry.parameters.get("pipeline")
        if entry.entrypoint == ENTRYPOINT and pipeline not in pipelines:
            raise UserError(
                f'{FILE}: the deployment "{entry.name}" runs the pipeline "{pipeline}", which params.yaml does not '
                f"have.{did_you_mean(str(pipeline), pipelines)}",
                "Name one of its pipelines, or take the entry out.",
            )
    return entries


def schedules_of(workspace: Workspace) -> dict[str, tuple[Schedule, ...]]:
    """By deployment."""
    return {entry.name: entry.schedules for entry in declared(workspace)}


def put_schedule(workspace: Workspace, deployment: str, schedule: Schedule) -> None:
    """Add the schedule, or replace the one of its name."""
    with _edited(workspace, deployment) as entry:
        listed = entry.setdefault("schedules", CommentedSeq())
        written = _written(schedule)
        for number, known in enumerate(listed):
            if _slug(known) == schedule.name:
                listed[number] = written
                return
        if not listed:  # `[]` is flow style; what follows reads better in lines
            entry["schedules"] = listed = CommentedSeq()
        listed.append(written)


def change_schedule(workspace: Workspace, deployment: str, name: str, *, active: bool | None) -> None:
    """Pause or resume it; None takes it out. Raises UserError where there is none of that name."""
    with _edited(workspace, deployment) as entry:
        listed = entry.get("schedules") or []
        known = [_slug(each) for each in listed]
        if name not in known:
            raise UserError(
                f'{deployment} has no schedule "{name}".{did_you_mean(name, known)}',
                f"It has: {', '.join(known)}." if known else f"`tunegate schedule set {deployment}` makes one.",
            )
        if active is None:
            del listed[known.index(name)]
        else:
            listed[known.index(name)]["active"] = active


def check_schedule_name(name: str) -> str:
    """The name itself. Raises UserError."""
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r} is no name of a schedule.", "Use lower-case letters, digits and dashes.")
    return name


@contextmanager
def _edited(workspace: Workspace, deployment: str) -> Iterator[CommentedMap]:
    """The deployment's entry, made where it is missing; written back, comments kept, unless an error is raised."""
    known = [each.name for each in declared(workspace)]
    if deployment not in known:
        raise UserError(
            f'There is no deployment "{deployment}".{did_you_mean(deployment, known)}',
            f"There are: {', '.join(known)}.",
        )
    yaml, document = _yaml(), _load(workspace)
    listed = document.get("deployments")
    if not listed:
        document["deployments"] = listed = CommentedSeq()
    entry = next((each for each in listed if each.get("name") == deployment), None)
    if entry is None:
        entry = _entry(deployment)
        listed.append(entry)
    yield entry
    text = StringIO()
    yaml.dump(document, text)
    write_atomically(workspace.root / FILE, text.getvalue())


def _yaml() -> YAML:
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 120
    yaml.preserve_quotes = True
    return yaml


def _load(workspace: Workspace) -> CommentedMap:
    path = workspace.root / FILE
    document: CommentedMap = read_yaml(path) if path.is_file() else _yaml().load(HEAD)
    if not isinstance(document, dict) or not isinstance(document.get("deployments") or [], list):
        raise UserError(f"{FILE} holds no list of deployments.", "Restore it with `git checkout -- prefect.yaml`.")
    return document


def _entries(document: CommentedMap) -> list[CommentedMap]:
    entries = list(document.get("deployments") or [])
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or not entry.get("name") or not entry.get("entrypoint"):
            raise UserError(f"{FILE}: deployment {number} lacks a name or an entrypoint.", "Add it, or take it out.")
    names = [str(entry["name"]) for entry in entries]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UserError(f"{FILE} names {', '.join(sorted(twice))} twice.", "Give every deployment a name of its own.")
    return entries


def _entry(pipeline: str) -> CommentedMap:
    """A pipeline's entry as a person would write it."""
    parameters, pool = CommentedMap(pipeline=pipeline), CommentedMap(name=POOL)
    limit = CommentedMap(limit=1, collision_strategy="CANCEL_NEW")
    for each in (parameters, pool, limit):
        each.fa.set_flow_style()
    return CommentedMap(
        name=pipeline,
        description=f"The pipeline {pipeline}, from changed input to verdict",
        entrypoint=ENTRYPOINT,
        parameters=parameters,
        work_pool=pool,
        concurrency_limit=limit,
        schedules=CommentedSeq(),
    )


def _deployment(entry: CommentedMap) -> Deployment:
    pool = entry.get("work_pool") or {}
    limit = entry.get("concurrency_limit")
    options = limit if isinstance(limit, dict) else {"limit": limit}
    return Deployment(
        name=str(entry["name"]),
        entrypoint=str(entry["entrypoint"]),
        parameters=_plain(entry.get("parameters") or {}),
        pool=str(pool.get("name") or POOL),
        description=str(entry.get("description") or ""),
        tags=tuple(map(str, entry.get("tags") or ())),
        limit=options.get("limit"),
        strategy=str(options.get("collision_strategy") or "CANCEL_NEW"),
        variables=_plain(pool.get("job_variables") or {}),
        schedules=tuple(_schedule(entry, each) for each in entry.get("schedules") or ()),
    )


def _schedule(entry: CommentedMap, written: CommentedMap) -> Schedule:
    kinds = [kind for kind in KINDS if kind in written] if isinstance(written, dict) else []
    if len(kinds) != 1:
        raise UserError(
            f"{FILE}: a schedule of {entry['name']} must have exactly one of {', '.join(KINDS)}.", "Mend that entry."
        )
    anchor = written.get("anchor_date")
    return Schedule(
        name=_slug(written),
        kind=kinds[0],
        when=written[kinds[0]],
        timezone=str(written.get("timezone") or "UTC"),
        anchor=str(anchor) if anchor else None,
        active=bool(written.get("active", True)),
    )


def _slug(written: CommentedMap) -> str:
    return str(written.get("slug") or SCHEDULE)


def _written(schedule: Schedule) -> CommentedMap:
    written = CommentedMap(slug=schedule.name)
    written[schedule.kind] = schedule.when
    written["timezone"] = schedule.timezone
    if schedule.anchor:
        written["anchor_date"] = schedule.anchor
    written["active"] = schedule.active
    return written


def _plain(value: Any) -> Any:
    """Of ruamel's types the plain ones."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
