"""The table of tasks. A task is one package here and one line in the table; nothing else names it.

Parts are imported when asked for: a stage that only needs to know what a record is does not load metrics.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

import pyarrow as pa
from pydantic import BaseModel

from tunegate.errors import UserError, did_you_mean
from tunegate.task import AnswerPart, EncodePart, ExamplesFrom, RecordPart, Refresh

TASKS = {
    "text_classification": "one label for a text or a pair of texts",
    "multi_label_classification": "any number of labels for a text or a pair of texts",
    "text_regression": "a number for a text or a pair of texts",
    "token_classification": "a tag for every word: names and other spans, parts of speech",
    "dependency_parsing": "the tree of a sentence: for every word the word that it hangs on, and how",
    "multiple_choice": "one of some options: an answer, a reason, the word for a blank",
    "question_answering": "a question about a passage, answered with words of the passage",
    "open_cloze": "the word for a blank, out of all words",
    "pretraining": "words to fill in and the order of sentences, learnt from texts alone",
}


def check_task(name: str) -> str:
    """The name itself. Raises UserError for a task that is not in the table."""
    if name not in TASKS:
        raise UserError(f'There is no task "{name}".{did_you_mean(name, TASKS)}', f"Choose one of: {', '.join(TASKS)}.")
    return name


def record_of(task: str) -> RecordPart:
    """What a record of the task is."""
    return cast("RecordPart", import_module(f"tunegate.tasks.{check_task(task)}.record"))


def examples_of(part: RecordPart) -> pa.Table:
    """The task's own examples, with a column for each of its payload."""
    rows = part.EXAMPLES
    return pa.table(
        {column.name: pa.array([row.get(column.name) for row in rows], column.type) for column in part.PAYLOAD}
    )


def encoding_of(task: str) -> EncodePart:
    """How the task puts its question to an encoder."""
    return cast("EncodePart", import_module(f"tunegate.tasks.{check_task(task)}.encode"))


def answering_of(task: str) -> AnswerPart:
    """How the task reads answers and what they are worth."""
    return cast("AnswerPart", import_module(f"tunegate.tasks.{check_task(task)}.answer"))


def examples_maker_of(part: RecordPart) -> ExamplesFrom | None:
    """What makes examples of the task's records, where records are none themselves."""
    return cast("ExamplesFrom | None", getattr(part, "examples_from", None))


def refresh_of(part: EncodePart) -> Refresh | None:
    """What makes a task's windows anew for every epoch, where it has that."""
    return cast("Refresh | None", getattr(part, "refresh", None))


def files_named(task: str, options: Mapping[str, Any]) -> list[str]:
    """The files, relative to the root, that the task's own settings name."""
    own = options_of(task).model_validate(options)
    return list(own.named_files()) if hasattr(own, "named_files") else []


def options_of(task: str) -> type[BaseModel]:
    """The task's own settings."""
    return record_of(task).Options
