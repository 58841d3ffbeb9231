"""`tunegate stage`: one stage of one pipeline, as `dvc.yaml` calls it."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from tunegate.errors import TunegateError
from tunegate.workspace import Workspace, write_atomically


def add_to(app: typer.Typer) -> None:
    app.command("stage")(stage)


def stage(
    name: Annotated[str, typer.Argument(help="the stage, for example train")],
    pipeline: Annotated[str, typer.Argument(help="the pipeline, a name from params.yaml")],
) -> None:
    """Run one stage as it stands, without looking at what changed (DVC calls this)."""
    # Threads that wait by spinning cost four times the CPU as soon as another process wants it too (OpenMP's default).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    if os.environ.get("TUNEGATE_DRIVEN"):
        from tunegate.dvc.child import end_with_driver

        end_with_driver()
    try:
        _run(name, pipeline)
    except TunegateError as error:
        if path := os.environ.get("TUNEGATE_FAILURE"):
            _write_failure(error, Path(path))
            raise typer.Exit(error.status) from error  # the driver says it, once
        raise


def _run(name: str, pipeline: str) -> None:
    """The stage; or, started by a training of several processes, a part of its work."""
    if os.environ.get("TUNEGATE_TEAM"):
        from tunegate.stages.train import help_to_train

        help_to_train(pipeline, Workspace(Path.cwd()))  # started there
        return
    from tunegate.stages import run_stage

    run_stage(name, pipeline, Workspace.find())


def _write_failure(error: TunegateError, path: Path) -> None:
    """DVC turns every status into 255, so the driver reads the failure from the file it named."""
    failure = {"status": int(error.status), "problem": error.problem, "remedy": error.remedy}
    write_atomically(path, json.dumps(failure))
