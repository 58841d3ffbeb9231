"""The command line: arguments in, report out. It decides nothing and imports nothing heavy before a command runs.

One module per command; each starts the rooms below when it is called.
"""

import sys
from typing import Annotated

import typer

from tunegate.cli import (
    ablate,
    accept,
    backfill,
    check,
    data,
    demo,
    doctor,
    embed,
    gate,
    gc,
    models,
    new,
    notify,
    params,
    predict,
    review,
    run,
    runs,
    schedule,
    serve,
    stage,
    up,
    versions,
    worker,
)
from tunegate.errors import ExitStatus, TunegateError, of_machine

app = typer.Typer(
    name="tunegate",
    help="Labelled text in, a proven service out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
run.add_to(app)
up.add_to(app)
schedule.add_to(app)
notify.add_to(app)
new.add_to(app)
check.add_to(app)
predict.add_to(app)
embed.add_to(app)
serve.add_to(app)
gate.add_to(app)
ablate.add_to(app)
doctor.add_to(app)
params.add_to(app)
stage.add_to(app)
data.add_to(app)
models.add_to(app)
versions.add_to(app)
accept.add_to(app)
runs.add_to(app)
backfill.add_to(app)
gc.add_to(app)
review.add_to(app)
demo.add_to(app)
worker.add_to(app)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"tunegate {version('tunegate')}")
        raise typer.Exit


@app.callback()
def _everywhere(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    """Labelled text in, a proven service out."""


def main() -> None:
    """The console script: a person's mistake ends in two sentences and its exit status, never in a traceback."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command line and give its exit status. What is no TunegateError and no slip of typing is a bug."""
    try:
        status = app(arguments, prog_name="tunegate", standalone_mode=False)
    except TunegateError as error:
        return _tell(error.problem, error.remedy, error.status)
    except typer.TyperException as error:
        return _tell_usage(error)
    except typer.Abort:
        return _tell("nothing was done.", "Answer yes, or give --yes, to go on.", ExitStatus.MISTAKE)
    except Exception as error:
        if (outside := of_machine(error)) is None:
            raise
        return _tell(outside.problem, outside.remedy, outside.status)
    if status == ExitStatus.INTERRUPTED:
        return _tell("interrupted;", "run the same command again to go on from here.", ExitStatus.INTERRUPTED)
    return int(status) if isinstance(status, int) else ExitStatus.PASSED


def _tell_usage(error: typer.TyperException) -> int:
    """A slip of typing, in the shape of every other mistake. Without a command the help is the answer."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "tunegate"
    problem = error.format_message().strip()
    if problem.startswith("Usage:"):
        print(problem)
        return ExitStatus.MISTAKE
    return _tell(problem, f"`{command} --help` shows what it takes.", ExitStatus.MISTAKE)


def _tell(problem: str, remedy: str, status: ExitStatus) -> int:
    separator = " " if problem.endswith(";") else "\n"
    print(f"tunegate: {problem}{separator}{remedy}", file=sys.stderr)
    return status
