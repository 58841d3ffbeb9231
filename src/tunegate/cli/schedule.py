"""`tunegate schedule`: when pipelines run, kept in prefect.yaml, so that it is reviewed like code."""

import json
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from tunegate.errors import UserError
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from flows.prefect_file import Schedule

Deployment = Annotated[str, typer.Argument(help="a deployment of prefect.yaml, by default named as its pipeline")]
Name = Annotated[str, typer.Option("--name", help="which schedule, where a deployment has several")]
NAME = "default"


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="When pipelines run (prefect.yaml).", no_args_is_help=True)
    group.command("list")(list_schedules)
    group.command("set")(set_schedule)
    group.command("pause")(pause)
    group.command("resume")(resume)
    group.command("remove")(remove)
    app.add_typer(group, name="schedule")


def list_schedules(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """List the schedules of prefect.yaml; `tunegate status` says when they come next."""
    from flows.prefect_file import schedules_of

    found = schedules_of(Workspace.find())
    if as_json:
        print(json.dumps({"schedules": {name: [asdict(each) for each in held] for name, held in found.items()}}))
        return
    width = max(map(len, found), default=0)
    for name, held in found.items():
        for each in held:
            print(f"{name:<{width}}  {each.name:<12}  {each.words()}")
        if not held:
            print(f"{name:<{width}}  no schedule")


def set_schedule(
    deployment: Deployment,
    cron: Annotated[str, typer.Option(help='minute, hour, day of month, month, weekday: "0 6 * * 1-5"')] = "",
    every: Annotated[str, typer.Option(help="an interval: 30m, 6h, 1d")] = "",
    rrule: Annotated[str, typer.Option(help='a rule of RFC 5545: "FREQ=MONTHLY;BYDAY=1MO;BYHOUR=6"')] = "",
    timezone: Annotated[str, typer.Option(help="whose clock it follows, summer time too: Europe/Berlin")] = "UTC",
    name: Name = NAME,
) -> None:
    """Make a schedule, or change the one of that name; in force at once when `tunegate up` runs."""
    from flows.environment import at_home
    from flows.prefect_file import check_schedule_name, put_schedule
    from flows.schedules import check_schedule, next_times

    workspace = Workspace.find()
    at_home(workspace)
    schedule = _wanted(check_schedule_name(name), cron, every, rrule, timezone)
    check_schedule(schedule)
    put_schedule(workspace, deployment, schedule)
    print(f"{deployment}: {schedule.words()}")
    print(f"         next: {', '.join(moment.strftime('%Y-%m-%d %H:%M %Z') for moment in next_times(schedule, 3))}")
    _in_force(workspace)


def pause(deployment: Deployment, name: Name = NAME) -> None:
    """Keep a schedule without following it."""
    _change(deployment, name, active=False)
    print(f"{deployment}: {name} is paused")


def resume(deployment: Deployment, name: Name = NAME) -> None:
    """Follow a paused schedule again."""
    _change(deployment, name, active=True)
    print(f"{deployment}: {name} is followed again")


def remove(deployment: Deployment, name: Name = NAME) -> None:
    """Take a schedule out."""
    _change(deployment, name, active=None)
    print(f"{deployment}: {name} is removed")


def _wanted(name: str, cron: str, every: str, rrule: str, timezone: str) -> "Schedule":
    from flows.prefect_file import Schedule
    from flows.schedules import anchor_of_today, interval_seconds

    given = {kind: said for kind, said in (("cron", cron), ("interval", every), ("rrule", rrule)) if said}
    if len(given) != 1:
        raise UserError(
            "A schedule has exactly one of --cron, --every and --rrule.", 'For example: --cron "0 6 * * *".'
        )
    ((kind, said),) = given.items()
    if kind != "interval":
        return Schedule(name, kind, said, timezone)
    return Schedule(name, kind, interval_seconds(said), timezone, anchor_of_today(timezone))


def _change(deployment: str, name: str, *, active: bool | None) -> None:
    from flows.prefect_file import change_schedule

    workspace = Workspace.find()
    change_schedule(workspace, deployment, name, active=active)
    _in_force(workspace)


def _in_force(workspace: Workspace) -> None:
    from flows.alive import read_kept
    from flows.deployments import apply_now

    kept = read_kept(workspace)
    if kept is None:
        print("written to prefect.yaml; in force from the next `tunegate up`")
        return
    apply_now(workspace, kept.url, partial(print, flush=True))
    print("written to prefect.yaml, and in force")
