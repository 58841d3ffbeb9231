"""Whether a command line that units or documents name is one that `tunegate` has: its words and its options."""

from collections.abc import Sequence
from typing import Any


def mistake_in(arguments: Sequence[str]) -> str:
    """What is wrong with `tunegate ARGUMENTS`, in words; empty where nothing is."""
    command = _root()
    words = list(arguments)
    path = ["tunegate"]
    while words and words[0] in getattr(command, "commands", {}):
        path.append(words[0])
        command = command.commands[words.pop(0)]
    name = " ".join(path)
    if getattr(command, "commands", None) and not (words and words[0].startswith("-")):
        return f"{name} has no command {words[0]!r}" if words else f"{name} needs a command"
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    given = [word.split("=")[0] for word in words if word.startswith("-") and not word.lstrip("-").isdigit()]
    unknown = [option for option in given if option not in known]
    return f"{name} has no option {unknown[0]}" if unknown else ""


def _root() -> Any:
    import typer

    from tunegate.cli import app

    return typer.main.get_command(app)
