"""Which kind of problem a file is for, where the person did not say: told by its columns, never guessed."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tunegate.errors import UserError
from tunegate.new_pipeline.answers import as_own_field, is_set
from tunegate.new_pipeline.columns import list_columns
from tunegate.new_pipeline.lists import choose_lists
from tunegate.records import Payload, label_column, label_sets_column, number_column
from tunegate.tasks import TASKS, check_task, record_of
from tunegate.text.readers.mapping import ROW_FIELDS


@dataclass(frozen=True)
class Fit:
    """A task that the file may be for, with the fields whose columns the person would have to name."""

    task: str
    unnamed: tuple[str, ...]

    @property
    def told(self) -> str:
        """For people."""
        wanted = f" (say which column is {' and which '.join(self.unnamed)})" if self.unnamed else ""
        return f"{self.task}: {TASKS[self.task]}{wanted}"


AskTask = Callable[[Sequence[Fit]], str]
"""Asks a person which of several tasks it is."""


def choose_task(samples: Mapping[str, str], given: Mapping[str, str], ask: AskTask | None) -> str:
    """The task whose questions the file can hold, or the one that a person says.

    `samples` are the file's columns with a value of each, `given` the fields that were named. Raises UserError where no
    task fits, and where several do and nobody can be asked.
    """
    fits = _likely([fit for task in TASKS if (fit := _fit(task, samples, given))], len(samples))
    if any(_labels_texts(fit.task) and not fit.unnamed for fit in fits):
        fits = [fit for fit in fits if not (_labels_texts(fit.task) and fit.unnamed)]
    if len(fits) == 1:
        return fits[0].task
    if not fits:
        raise UserError(
            f"No task's columns are there. The columns, each with a value of it:\n{list_columns(samples)}",
            f"Say what the problem is with --task ({', '.join(TASKS)}), and which column is what with --column "
            "FIELD=COLUMN.",
        )
    if ask is None:
        raise UserError(
            "The data may be for more than one task:\n" + "\n".join(f"  {fit.told}" for fit in fits),
            f"Say which: {' or '.join(_options(fit) for fit in fits)}.",
        )
    return check_task(ask(fits))


def _labels_texts(task: str) -> bool:
    """Of tasks that say something of a whole text, the one whose answer has its name among the columns is meant."""
    payload = record_of(task).PAYLOAD
    return any(column(payload) is not None for column in (label_column, label_sets_column, number_column))


def _likely(fits: Sequence[Fit], columns: int) -> list[Fit]:
    """Without a task whose unnamed fields have no column left; and a task that asks for no answer only where no other
    is possible: every file with a text would do for it."""
    possible = [fit for fit in fits if len(fit.unnamed) < columns]
    answering = [fit for fit in possible if any(field.required for field in _answers(fit.task))]
    return answering or possible


def _answers(task: str) -> list[Payload]:
    return [field for field in record_of(task).PAYLOAD if field.kind in ("label", "labels", "answer")]


def _fit(task: str, samples: Mapping[str, str], given: Mapping[str, str]) -> Fit | None:
    """None where the columns of the question are not there, a field was named that the task does not have, or a column
    that has the name of a field holds something else."""
    payload = record_of(task).PAYLOAD
    given = as_own_field(given, payload) if label_sets_column(payload) else given
    if not set(given) <= {*ROW_FIELDS, *(field.name for field in payload)}:
        return None
    lists, given = choose_lists(payload, samples, given)
    members = {field: json.dumps([samples.get(name) for name in names]) for field, names in lists.items()}
    samples = {**samples, **members}
    columns = {field.name: given.get(field.name, field.name) for field in payload if field.required}
    asked = [columns[field.name] for field in payload if field.required and field.kind == "text"]
    if not all(column in samples for column in asked):
        return None
    if any(not _holds(field, samples[columns[field.name]]) for field in payload if columns.get(field.name) in samples):
        return None
    unnamed = [field for field in payload if field.required and columns[field.name] not in samples]
    free = [cell for name, cell in samples.items() if name not in columns.values()]
    if any(field.parse and not any(_holds(field, cell) for cell in free) for field in unnamed):
        return None  # no column holds what this field takes
    return Fit(task, tuple(field.name for field in unnamed))


def _holds(field: Payload, cell: str) -> bool:
    if field.kind == "label" and cell.startswith(("[", "{")) and is_set(cell):
        return False
    try:
        return field.parse is None or field.parse(cell) is not None
    except (ValueError, TypeError):
        return False


def _options(fit: Fit) -> str:
    named = "".join(f" --column {name}=COLUMN" for name in fit.unnamed)
    return f"--task {fit.task}{named}"
