"""The command line: arguments in, report out. It decides nothing and imports nothing heavy before a command runs.

One module per command; each starts the rooms below when it is called.
"""

import sys

import typer

from tunegate.cli import stage
from tunegate.errors import ExitStatus, TunegateError

app = typer.Typer(
    name="tunegate",
    help="Labelled text in, a proven service out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
stage.add_to(app)


def main() -> None:
    """The console script: a person's mistake ends in two sentences and its exit status, never in a traceback."""
    try:
        app(standalone_mode=True)
    except TunegateError as error:
        print(f"tunegate: {error.problem}\n{error.remedy}", file=sys.stderr)
        sys.exit(error.status)
    except KeyboardInterrupt:
        print("tunegate: interrupted; run the same command again to go on from here.", file=sys.stderr)
        sys.exit(ExitStatus.INTERRUPTED)
