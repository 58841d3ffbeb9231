"""`tunegate demo`: the example's next ten minutes, told as commands."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from tunegate.errors import OutsideError
from tunegate.workspace import Workspace


def add_to(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    pause: Annotated[bool, typer.Option("--pause", help="wait for Enter before each command")] = False,
) -> None:
    """Show a refusal, an approval and a rollback on the example, in a copy of the project."""
    from tunegate.demo import PIPELINE, copy_project, story
    from tunegate.versions.runs import read_runs

    copy = copy_project(Workspace.find())
    print(f"Everything happens in a copy of the project, {copy.root}.", flush=True)
    for make in story(lambda: read_runs(copy, PIPELINE)[0].name):
        step = make()
        print(f"\n# {step.why}\n$ {step.line}", flush=True)
        if pause:
            typer.prompt("Enter", default="", show_default=False, prompt_suffix="")
        started = time.monotonic()
        status = _do(copy.root, step.command)
        print(f"# {time.monotonic() - started:.0f} s, exit status {status}", flush=True)
        if status != step.status:
            raise OutsideError(
                f"The demo expected exit status {step.status} here, and got {status}.",
                f"The copy stays at {copy.root} to look at; `tunegate demo` starts afresh.",
            )
    print(f"\nLook at all of it on the review page:\n  cd {copy.root} && tunegate review")


def _do(root: Path, command: tuple[str, ...]) -> int:
    """With this environment's own programs, whatever PATH says."""
    programs = Path(sys.executable).parent
    environment = {name: value for name, value in os.environ.items() if name != "TUNEGATE_STATE"}
    environment["PATH"] = f"{programs}:{environment.get('PATH', '')}"
    environment["DVC_NO_ANALYTICS"] = "1"
    return subprocess.run([str(programs / command[0]), *command[1:]], cwd=root, env=environment, check=False).returncode
