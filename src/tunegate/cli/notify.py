"""`tunegate notify`: who hears of runs, kept in notifications.yaml."""

import json
from typing import Annotated

import typer

from tunegate.workspace import Workspace


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="Who hears of runs (notifications.yaml).", no_args_is_help=True)
    group.command("list")(list_notifications)
    group.command("test")(test)
    app.add_typer(group, name="notify")


def list_notifications(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """List who is told of what, without addresses."""
    from flows.notifications import read_notifications

    found = read_notifications(Workspace.find())
    if as_json:
        told = [{**each.model_dump(mode="json", exclude={"to"}), "by": each.kind} for each in found]
        print(json.dumps({"notifications": told}, ensure_ascii=False))
        return
    for each in found:
        pipelines = ", ".join(each.pipelines) or "all pipelines"
        print(f"{each.name}  by {each.kind}, when {', '.join(each.when)}, of {pipelines}")
    if not found:
        print("nobody is told; the comments in notifications.yaml show an entry")


def test(name: Annotated[str, typer.Argument(help="a notification of notifications.yaml")]) -> None:
    """Send one message now, to see that it arrives."""
    from flows.notifications import find_notification
    from flows.notifying import send_test

    send_test(find_notification(Workspace.find(), name))
    print(f"sent to {name}")
