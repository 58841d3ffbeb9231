"""Whether a command line that units or documents name is one that `tunegate` takes."""

from collections.abc import Sequence
from typing import Any


def mistake_in(arguments: Sequence[str]) -> str:
    """What is wrong with `tunegate ARGUMENTS`, in the words that a person would read; empty where nothing is."""
    command, path, words = _root(), ["tunegate"], list(arguments)
    while words and words[0] in getattr(command, "commands", {}):
        path.append(words[0])
        command = command.commands[words.pop(0)]
    name = " ".join(path)
    if getattr(command, "commands", None) and not (words and words[0].startswith("-")):
        return f"{name} has no command {words[0]!r}" if words else f"{name} needs a command"
    try:
        command.make_context(name, words)
    except Exception as error:  # typer's own copy of click keeps its classes to itself
        return f"{name}: {error}"
    return ""


def _root() -> Any:
    import typer

    from tunegate.cli import app

    return typer.main.get_command(app)
