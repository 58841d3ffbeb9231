"""`tunegate run`: the pipelines, from changed input to verdict."""

import json
import sys
from typing import Annotated

import typer

from tunegate.workspace import Workspace


def add_to(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    pipelines: Annotated[list[str] | None, typer.Argument(help="pipelines from params.yaml (default: all)")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="list what would run and why; run nothing")] = False,
    force: Annotated[list[str] | None, typer.Option(metavar="STAGE", help="run this stage whatever changed")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="end with one JSON object per pipeline")] = False,
) -> None:
    """Run what changed since the last run, and say what came out.

    Exit status: 0 passed, 3 refused, 4 undecided, 2 a mistake to mend, 75 something outside failed, 130 interrupted.
    """
    from flows.result import worst
    from flows.start import Order, start
    from flows.summary import summarise
    from tunegate.stages import check_stage

    order = Order(tuple(pipelines or ()), frozenset(check_stage(name) for name in force or ()), dry_run)
    workspace = Workspace.find()
    results = start(workspace, order, sys.stderr if as_json else sys.stdout)
    summaries = [summarise(workspace, result) for result in results]
    for summary in summaries:
        print(json.dumps(summary.as_object(), ensure_ascii=False) if as_json else summary.text())
    raise typer.Exit(worst(summary.status for summary in summaries))
