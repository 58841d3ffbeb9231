"""`tunegate up`, `down` and `status`: the server, its page, a worker and the schedules of this machine."""

import json
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from tunegate.errors import ExitStatus
from tunegate.workspace import Workspace

PORT = 4200  # Prefect's own
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")]


def add_to(app: typer.Typer) -> None:
    app.command("up")(up)
    app.command("down")(down)
    app.command("status")(status)


def up(
    port: Annotated[
        int, typer.Option(min=1024, max=65535, envvar="TUNEGATE_PORT", help="where the page is served, on loopback")
    ] = PORT,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="how many runs may go on at the same time")] = 2,
    as_json: AsJson = False,
) -> None:
    """Start server, page, worker and schedules in the background. Once more: put changed schedules in place."""
    from flows.up import up as start

    kept = start(Workspace.find(), port, at_once, _quiet if as_json else partial(print, flush=True))
    if as_json:
        print(json.dumps({**asdict(kept), "page": kept.page}))
        return
    print(f"\nopen     {kept.page}\nstate    tunegate status\nend      tunegate down")


def down(as_json: AsJson = False) -> None:
    """End what `tunegate up` started. A run in progress goes on from its last checkpoint after the next `up`."""
    from flows.up import down as end

    ended = end(Workspace.find(), _quiet if as_json else partial(print, flush=True))
    if as_json:
        print(json.dumps({"ended": ended}))
    else:
        print("everything has ended" if ended else "nothing was up")


def status(as_json: AsJson = False) -> None:
    """Show server, worker, queues, schedules and runs, and who waits for what; ends with 75 when it is not healthy."""
    from flows.status import look

    found = look(Workspace.find())
    print(json.dumps(found.as_object(), ensure_ascii=False) if as_json else found.text())
    raise typer.Exit(ExitStatus.PASSED if found.healthy else ExitStatus.OUTSIDE)


def _quiet(text: str) -> None:
    """Nothing but the object is printed."""
