"""`tunegate accept`: results of changed code taken as equal, by name and with a reason."""

import json
import sys
from typing import Annotated

import typer

from tunegate.workspace import Workspace


def add_to(app: typer.Typer) -> None:
    app.command("accept")(accept)


def accept(
    pipeline: Annotated[str, typer.Argument(help="the pipeline, a name from params.yaml")],
    why: Annotated[str, typer.Option(help="why the results are equal, for those who read it later")],
    stages: Annotated[
        list[str] | None, typer.Argument(help="stages (default: all of which only the code changed)")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """Keep results whose code alone has changed, without running it; who said so and why stays on record."""
    from flows.start import Order, opened
    from tunegate.releases.accept import accept as accepted
    from tunegate.versions.decisions import person

    workspace = Workspace.find()
    who = person(workspace)
    with opened(workspace, Order((pipeline,), dry=True), sys.stderr) as (job,):
        done = accepted(job.project, pipeline, stages or (), who=who, why=why)
    if as_json:
        print(json.dumps({"run": done.run.name, "tag": done.tag.name, "code": done.code, "who": who, "why": why}))
        return
    for stage, modules in done.code.items():
        print(f"{stage:<10} kept as it is; its code changed: {', '.join(modules)}")
    print(f"On record as {done.run.name}. Commit dvc.lock: git add dvc.lock && git commit")
