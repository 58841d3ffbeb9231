"""What a file's answers look like: sets of labels in one cell or in columns of 0 and 1, and lists where one label is
expected. Recognised and said with the option to give; never taken without a word."""

from collections.abc import Mapping, Sequence
from itertools import islice

from tunegate.errors import UserError
from tunegate.new_pipeline.columns import list_columns, shortened
from tunegate.params import IngestSettings
from tunegate.records import Payload, answer_columns, label_column, label_sets_column, number_column
from tunegate.tasks import TASKS, record_of
from tunegate.text.label_sets import label_set
from tunegate.text.readers import RawFile
from tunegate.text.readers.label_sets import holds_yes_and_no
from tunegate.text.readers.mapping import ROW_FIELDS

LOOKED_AT = 1_000  # rows
MANY = 20  # different numbers with decimals: no names
BETWEEN = ("|", ";", ",", "/", " ")  # what may stand between labels, in the order in which it is looked for

Cells = Mapping[str, Sequence[str | None]]


def as_own_field(given: Mapping[str, str], payload: Sequence[Payload]) -> dict[str, str]:
    """`label` said of a task whose only answer has another name is that answer."""
    names, answers = [column.name for column in payload], answer_columns(payload)
    if "label" not in given or "label" in names or len(answers) != 1 or answers[0] in given:
        return dict(given)
    return {answers[0] if field == "label" else field: column for field, column in given.items()}


def check_answers(
    files: Sequence[RawFile], settings: IngestSettings, payload: Sequence[Payload], given: Mapping[str, str]
) -> None:
    """`given` are fields with their columns. Raises UserError that names the option by which the answers are read."""
    cells = _first_cells(files, settings)
    if name := label_sets_column(payload):
        if not settings.label_columns and name not in settings.lists:
            _check_sets(cells, name, given, settings)
    elif name := label_column(payload):
        _refuse_lists(cells.get(given.get(name, name), ()), given.get(name, name))
        _refuse_numbers(cells.get(given.get(name, name), ()), given.get(name, name))


def _first_cells(files: Sequence[RawFile], settings: IngestSettings) -> Cells:
    for chunk in files[0].read(settings):
        if len(chunk.rows.lines):
            head = chunk.rows.columns.slice(0, LOOKED_AT)
            return {name: column.to_pylist() for name, column in zip(head.schema.names, head.columns, strict=True)}
    return {}


def _check_sets(cells: Cells, field: str, given: Mapping[str, str], settings: IngestSettings) -> None:
    column = given.get(field, field)
    if column in cells:
        if not settings.label_delimiter:
            _refuse_plain(cells[column], column)
        return
    taken = {*given.values(), *ROW_FIELDS}
    flags = [name for name, values in cells.items() if name not in taken and holds_yes_and_no(values)]
    if field not in given and flags:
        samples = {name: next((value for value in values if value), "") for name, values in cells.items()}
        raise UserError(
            f"No column is named {field}, and it is not guessed. These hold 0 and 1 alone: {', '.join(flags)}. "
            f"The columns, each with a value of it:\n{list_columns(samples)}",
            f"If they are the labels, a column each: --label-columns {','.join(flags)}. If one column holds the "
            "labels: --label COLUMN.",
        )


def _refuse_plain(values: Sequence[str | None], column: str) -> None:
    plain = [value for value in values if value and not is_set(value)]
    if not plain:
        return
    between = next((mark for mark in BETWEEN if any(mark in value for value in plain)), ";")
    shown = next((value for value in plain if between in value), plain[0])
    raise UserError(
        f'The column "{column}" holds no lists but names: "{shortened(shown)}".',
        f'Say what stands between the labels of a cell, for example --label-delimiter "{between}".',
    )


def is_set(cell: str) -> bool:
    """Whether the cell is a list or an object that says a set of labels."""
    try:
        label_set(cell)
    except ValueError:
        return False
    return True


def _refuse_lists(values: Sequence[str | None], column: str) -> None:
    """Lists are no single label, and each row would be rejected for it."""
    found = [value for value in islice(values, LOOKED_AT) if value]
    if found and all(value.lstrip().startswith(("[", "{")) and is_set(value) for value in found):
        tasks = [name for name in TASKS if label_sets_column(record_of(name).PAYLOAD)]
        raise UserError(
            f'The column "{column}" holds sets of labels and no single ones: {shortened(found[0])}',
            f"Use a task for that: --task {' or '.join(tasks)}.",
        )


def _refuse_numbers(values: Sequence[str | None], column: str) -> None:
    """Numbers with decimals, many different ones, are no labels."""
    found = [value for value in values if value]
    if found and all(map(_is_number, found)) and len({value for value in found if "." in value}) > MANY:
        tasks = [name for name in TASKS if number_column(record_of(name).PAYLOAD)]
        raise UserError(
            f'The column "{column}" holds numbers and no labels: {", ".join(found[:3])}, ...',
            f"Use a task for that: --task {' or '.join(tasks)}. (Bands of them as labels need names of their own.)",
        )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
