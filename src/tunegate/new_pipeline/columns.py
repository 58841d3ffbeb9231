"""Which column of a person's file is which field of the task's record: named alike, or said by the person."""

from collections.abc import Callable, Mapping, Sequence

from tunegate.errors import UserError, did_you_mean
from tunegate.records import Payload
from tunegate.text.readers.mapping import delimiter_hint

LONGEST_SAMPLE = 60  # characters of a cell that tell what a column holds

AskColumn = Callable[[Payload, Mapping[str, str]], str]
"""Asks a person for the column of a field, showing the columns with a value of each."""


def choose_columns(
    payload: Sequence[Payload], samples: Mapping[str, str], given: Mapping[str, str], ask: AskColumn | None
) -> dict[str, str]:
    """What must be written in `ingest.columns`: the given fields, and those that a person was asked for.

    `samples` are the file's columns with a value of each. A required field without a column of its name is asked for,
    or, where nobody can be asked, a UserError that lists the columns and the option to give.
    """
    chosen = dict(given)
    _refuse_unknown(chosen, samples)
    for column in payload:
        if not column.required or column.name in chosen or column.name in samples:
            continue
        if ask is None:
            raise _not_named(column, samples)
        chosen[column.name] = ask(column, samples)
        _refuse_unknown(chosen, samples)
    return {field: column for field, column in chosen.items() if field != column}


def option(column: Payload) -> str:
    """How the field is named on the command line."""
    if column.is_plain_text:
        return f"--{column.name.replace('_', '-')} COLUMN"
    return "--label COLUMN" if column.kind in ("label", "labels") else f"--column {column.name}=COLUMN"


def list_columns(samples: Mapping[str, str]) -> str:
    """One line per column with its sample value, for people."""
    width = max((len(name) for name in samples), default=0)
    return "\n".join(f"  {name:<{width}}  {shortened(value)}" for name, value in samples.items())


def shortened(text: str, longest: int = LONGEST_SAMPLE) -> str:
    """On one line, cut."""
    plain = " ".join(text.split())
    return plain if len(plain) <= longest else f"{plain[: longest - 3]}..."


def _refuse_unknown(chosen: Mapping[str, str], samples: Mapping[str, str]) -> None:
    unknown = [(field, column) for field, column in chosen.items() if column not in samples]
    if unknown:
        field, column = unknown[0]
        raise UserError(
            f'There is no column "{column}" (for {field}).{did_you_mean(column, samples)} '
            f"The columns are:\n{list_columns(samples)}",
            delimiter_hint(list(samples)) or "Name one of them.",
        )


def _not_named(column: Payload, samples: Mapping[str, str]) -> UserError:
    return UserError(
        f"No column is named {column.name} ({column.description}), and it is not guessed. "
        f"The columns, each with a value of it:\n{list_columns(samples)}",
        delimiter_hint(list(samples)) or f"Say which one it is: {option(column)}.",
    )
