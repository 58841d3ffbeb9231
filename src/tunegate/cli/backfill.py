"""`tunegate backfill`: a pipeline over past versions of its data, with a table of results."""

import json
import sys
from functools import partial
from typing import Annotated

import typer

from tunegate.errors import ExitStatus
from tunegate.workspace import Workspace

HEAD = ("data version", "date", "rows", "score", "verdict", "run", "reused", "seconds")


def add_to(app: typer.Typer) -> None:
    app.command("backfill")(backfill)


def backfill(
    pipeline: Annotated[str, typer.Argument(help="the pipeline, a name from params.yaml")],
    first: Annotated[str, typer.Option("--from", metavar="REV", help="the oldest version: the data as of this commit")],
    last: Annotated[str, typer.Option("--to", metavar="REV", help="the newest version")] = "HEAD",
    at_once: Annotated[int, typer.Option(min=1, help="how many versions at once")] = 2,
    again: Annotated[bool, typer.Option("--again", help="look at those too that an earlier backfill finished")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="end with one JSON object for other programs")] = False,
) -> None:
    """Run a pipeline over past versions of its data, with the code and settings of now; registers nothing.

    Each version runs in a worktree of its own, and what is unchanged is reused. Stopped or killed, the same command
    goes on. Exit status 0 when every version came to a verdict, whatever that is.
    """
    from flows.backfill import Asked, status_of
    from flows.backfill import backfill as run
    from flows.backfill_rows import cells, report
    from tunegate.cli.version_lines import columns

    workspace = Workspace.find()
    say = partial(print, file=sys.stderr if as_json else sys.stdout, flush=True)
    try:
        rows = run(workspace, Asked(pipeline, first, last, at_once, again), say)
    except KeyboardInterrupt as interrupted:
        raise typer.Exit(ExitStatus.INTERRUPTED) from interrupted
    path = report(workspace, pipeline, rows)
    if as_json:
        listed = [row.model_dump(mode="json") for row in rows]
        print(json.dumps({"pipeline": pipeline, "versions": listed, "report": str(path)}, ensure_ascii=False))
    else:
        print("\n" + columns([HEAD, *map(cells, rows)]))
        print(f"\nEach is scored on its own test rows. The table: {workspace.relative(path)}")
    raise typer.Exit(status_of(rows))
