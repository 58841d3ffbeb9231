"""`rows.parquet`: what a test row is, beside the answers to it: whose rows it may not count for, and its slices.

`id`, `source`, `source_line`, `group`, `length` (characters of all its texts), every column of the answer,
`<name>_count` of a part of the question that is a list (`options_count`), `meta` (the columns that no field names, as
JSON); then `candidate_trained_on`, and per rival `<name>_trained_on` and `<name>_label_unknown`; `new_since_champion`
where the champion's data is known.
"""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tunegate.evaluation.leave_outs import LeaveOuts, Mask
from tunegate.records import Payload, answer_columns, question_columns, texts_of


def rows_table(
    records: pa.Table,
    payload: Sequence[Payload],
    candidate: LeaveOuts,
    rivals: Mapping[str, LeaveOuts],
    new: Mask | None = None,
) -> pa.Table:
    """The whole file, in the order of answers.parquet."""
    columns = {name: records[name] for name in ("id", "source", "source_line", "group")}
    columns["length"] = _length(records, payload)
    columns |= {name: records[name] for name in answer_columns(payload)}
    columns |= {f"{name}_count": pc.list_value_length(records[name]) for name in _lists(records, payload)}
    columns["meta"] = records["meta"]
    columns["candidate_trained_on"] = pa.array(candidate.trained_on)
    for name, left_out in rivals.items():
        columns[f"{name}_trained_on"] = pa.array(left_out.trained_on)
        columns[f"{name}_label_unknown"] = pa.array(left_out.label_unknown)
    if new is not None:
        columns["new_since_champion"] = pa.array(new)
    return pa.table(columns)


def _lists(records: pa.Table, payload: Sequence[Payload]) -> list[str]:
    names = [name for name in question_columns(payload) if name in records.column_names]
    return [name for name in names if pa.types.is_list(records.schema.field(name).type)]


def _length(records: pa.Table, payload: Sequence[Payload]) -> pa.Array:
    """Characters rather than tokens, so that a row keeps its place when the tokenizer changes."""
    total = pa.array([0] * len(records), pa.int64())
    for text in texts_of(records, payload):
        total = pc.add(total, pc.fill_null(pc.utf8_length(text), 0).cast(pa.int64()))
    return total
