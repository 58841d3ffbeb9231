"""`answers.parquet`: every model's answer to every test row, side by side.

Columns: `id`, the row's own answer, then `<model>.<column>` for each model (a precision of the candidate: `fp32`,
`bf16`; or a baseline: `majority`, `tfidf`, ...) and each column of the task's answers. The file's own description names
each model's labels, in the order of its scores.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tunegate.errors import UserError
from tunegate.records import Payload, answer_columns, read_table, texts_of
from tunegate.task import Counts

ROWS_AT_ONCE = 10_000
_LABELS = b"labels"


def side_by_side(
    records: pa.Table, payload: Sequence[Payload], models: Mapping[str, pa.Table], labels: Mapping[str, Sequence[str]]
) -> pa.Table:
    """The whole file; `labels` by model."""
    columns = {"id": records["id"]}
    columns |= {name: records[name] for name in answer_columns(payload)}
    for model, answers in models.items():
        columns |= {f"{model}.{name}": answers[name] for name in answers.column_names}
    described = json.dumps({model: list(labels[model]) for model in models}, ensure_ascii=False)
    return pa.table(columns).replace_schema_metadata({_LABELS: described})


def labels_of(table: pa.Table, model: str) -> list[str]:
    """In the order of the model's scores; none where the file is older than the description."""
    described = (table.schema.metadata or {}).get(_LABELS)
    return list(json.loads(described).get(model, [])) if described else []


def answers_of(path: Path, model: str, ids: Sequence[str]) -> pa.Table:
    """One model's answers as its task's `decode` gave them, in the order of `ids`. Raises UserError."""
    table = read_table(path)
    prefix = f"{model}."
    names = [name for name in table.column_names if name.startswith(prefix)]
    rows = pc.index_in(pa.array(ids, pa.string()), value_set=table["id"].combine_chunks())
    if not names or rows.null_count:
        raise UserError(
            f"{path} holds no answers of {model} for all of these {len(ids)} rows.",
            "Run the pipeline's evaluate stage.",
        )
    return table.select(names).rename_columns([name.removeprefix(prefix) for name in names]).take(rows)


def counted(models: Mapping[str, Counts]) -> pa.Table:
    """`counts.parquet`: model, record (the row in answers.parquet), key and number, zeros left out."""
    tables = []
    for model, counts in models.items():
        keys = pa.DictionaryArray.from_arrays(pa.array(counts.key, pa.int32()), pa.array(counts.keys, pa.string()))
        columns = {
            "model": pa.array([model] * len(counts.key), pa.string()),
            "record": pa.array(counts.record, pa.int64()),
            "key": keys.cast(pa.string()),
            "number": pa.array(counts.number, pa.float64()),
        }
        tables.append(pa.table(columns))
    return pa.concat_tables(tables)


def fingerprint(records: pa.Table, payload: Sequence[Payload]) -> str:
    """A name for a set of rows by their ids, questions and labels, whatever their order."""
    names = ["id", *(column.name for column in payload if column.name in records.column_names)]
    ordered = records.select(names).sort_by("id")
    digest = hashlib.sha256()
    for start in range(0, len(ordered), ROWS_AT_ONCE):
        rows = ordered.slice(start, ROWS_AT_ONCE).to_pylist()
        digest.update(json.dumps(rows, ensure_ascii=False, sort_keys=True).encode())
    return digest.hexdigest()


def seen(train: pa.Table, test: pa.Table, payload: Sequence[Payload]) -> int:
    """How many test rows ask what a training row asks too, word for word."""
    asked = set(zip(*(text.to_pylist() for text in texts_of(train, payload)), strict=True))
    return sum(
        question in asked for question in zip(*(text.to_pylist() for text in texts_of(test, payload)), strict=True)
    )
