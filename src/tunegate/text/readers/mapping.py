"""Which column of a file is which field of a record. Never guessed: a field's column is the one that the settings
name, else the one named exactly like the field.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tunegate.errors import UserError, did_you_mean
from tunegate.records import Payload
from tunegate.text.readers.rows import Rows

ROW_FIELDS = ("id", "split", "group", "weight", "annotator")
OTHER_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}


@dataclass(frozen=True)
class FieldColumns:
    """Field to column, and the label fields whose file gives whole numbers instead of text."""

    columns: Mapping[str, str]
    numbers: frozenset[str]


def map_fields(rows: Rows, payload: Sequence[Payload], wanted: Mapping[str, str], source: str) -> FieldColumns:
    """The mapping for a file, from its first rows. Raises one UserError that lists every mistake."""
    found = rows.columns.schema.names
    fields = [*ROW_FIELDS, *(column.name for column in payload)]
    unknown = [name for name in wanted if name not in fields]
    if unknown:
        raise UserError(
            f'ingest.columns: there is no field "{unknown[0]}".{did_you_mean(unknown[0], fields)}',
            f"The fields are: {', '.join(fields)}.",
        )
    taken = set(wanted.values())
    own = {name: name for name in fields if name in found and name not in taken}
    columns = {**own, **wanted}
    required = [column.name for column in payload if column.required]
    _refuse_missing(columns, required, found, source)
    _refuse_twice(columns, found, source)
    labels = [column.name for column in payload if column.kind == "label" and column.name in columns]
    return FieldColumns(columns, frozenset(name for name in labels if _mostly_numbers(rows, columns[name])))


def _refuse_missing(columns: Mapping[str, str], required: list[str], found: list[str], source: str) -> None:
    absent = {field: column for field, column in columns.items() if column not in found}
    absent |= {field: field for field in required if field not in columns}
    if not absent:
        return
    field, column = next(iter(absent.items()))
    names = [f'"{name}"' if name == of else f'"{name}" (for {of})' for of, name in absent.items()]
    raise UserError(
        f"{source} has no {'columns' if len(names) > 1 else 'column'} {', '.join(names)}.{_near(column, found)} "
        f"Its columns are: {', '.join(repr(name) for name in found)}.",
        delimiter_hint(found)
        or f"Say which it is, for example ingest.columns: {{{field}: {_example(columns, found)}}} in params.yaml, "
        "or rename the column in the file (the first line must name the columns).",
    )


def _near(name: str, found: list[str]) -> str:
    """The column meant, if it differs by case or outer spaces; else the nearest."""
    same = [column for column in found if column.strip().lower() == name.lower()]
    return f" Did you mean {same[0]!r}?" if same else did_you_mean(name, found)


def _example(columns: Mapping[str, str], found: list[str]) -> str:
    """A column that is no other field's, for the remedy."""
    free = [name for name in found if name not in columns.values() and name == name.strip() and 0 < len(name) < 40]
    return free[-1] if free else "your-column"


def delimiter_hint(found: Sequence[str]) -> str:
    """What to do about a header of one column that holds another delimiter; else nothing."""
    if len(found) != 1:
        return ""
    for delimiter, name in OTHER_DELIMITERS.items():
        if delimiter in found[0]:
            written = "\\t" if delimiter == "\t" else delimiter
            return f'The columns seem to be separated by {name}: set ingest.delimiter: "{written}" in params.yaml.'
    return ""


def _refuse_twice(columns: Mapping[str, str], found: list[str], source: str) -> None:
    counts = Counter(found)
    twice = [name for name in dict.fromkeys(found) if counts[name] > 1]
    if twice:
        raise UserError(
            f"{source} has {counts[twice[0]]} columns named {twice[0]!r}: which is meant cannot be told.",
            "Give every column a name of its own.",
        )
    fields = [field for field, column in columns.items() if list(columns.values()).count(column) > 1]
    if fields:
        raise UserError(
            f"ingest.columns: the fields {' and '.join(fields)} have the same column {columns[fields[0]]!r}.",
            "Name one column per field.",
        )


def _mostly_numbers(rows: Rows, column: str) -> bool:
    """Whether more of the first rows' labels are whole numbers than texts: either is fine, a mixture is not."""
    if column not in rows.columns.schema.names or not rows.columns.num_rows:
        return False
    marks = rows.literal(column)
    return bool(marks.sum() * 2 > len(marks))
