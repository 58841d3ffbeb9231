"""Sets of labels from every format: lists, objects, cells with a delimiter, columns of 0 and 1; what is none goes."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.text.readers.reading import read_file
from tunegate.errors import UserError
from tunegate.tasks import record_of

PAYLOAD = record_of("multi_label_classification").PAYLOAD
SETS = [["bread", "eggs"], [], ["eggs"]]


def read(path: Path, content: str = "", **settings: Any) -> tuple[list[list[str]], list[dict[str, Any]]]:
    if content:
        path.write_text(content)
    rows, rejects, _ = read_file(path, PAYLOAD, **settings)
    return rows["labels"].to_pylist(), rejects.to_pylist()


def test_json_lines_hold_lists_or_objects_of_0_and_1(tmp_path: Path) -> None:
    lists: list[object] = [["eggs", "bread"], [], ["eggs"]]
    objects: list[object] = [{"eggs": 1.0, "bread": True}, {"eggs": 0}, {"eggs": 1, "bread": 0.0}]
    for name, values in (("lists", lists), ("objects", objects)):
        lines = [json.dumps({"text": f"a {number}", "labels": value}) for number, value in enumerate(values)]
        assert read(tmp_path / f"{name}.jsonl", "\n".join(lines)) == (SETS, [])


def test_parquet_holds_lists(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", "b", "c"], "labels": pa.array(SETS, pa.list_(pa.string()))})
    pq.write_table(table, tmp_path / "rows.parquet")
    assert read(tmp_path / "rows.parquet") == (SETS, [])


def test_a_csv_cell_holds_names_with_a_delimiter_or_a_json_list(tmp_path: Path) -> None:
    content = "text,tags\na,eggs| bread\nb,\nc,eggs|\n"
    assert read(tmp_path / "a.csv", content, columns={"labels": "tags"}, label_delimiter="|") == (SETS, [])
    content = 'text,labels\na,"[""bread"",""eggs""]"\nb,[]\nc,"[""eggs""]"\n'
    assert read(tmp_path / "b.csv", content) == (SETS, [])


def test_a_csv_column_per_label_holds_0_and_1(tmp_path: Path) -> None:
    content = "text,bread,eggs\na,1,1\nb,0,0\nc,0,1.0\nd,0,2\ne,,1\n"
    sets, rejects = read(tmp_path / "a.csv", content, label_columns=["bread", "eggs"])
    assert sets == SETS
    assert [(reject["source_line"], reject["rule"]) for reject in rejects] == [(5, "LABEL_CELL"), (6, "LABEL_CELL")]
    assert rejects[0]["reason"] == "the column of the label 'eggs' holds '2', neither 1 nor 0"


def test_a_column_of_a_label_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'no column "egg"\. Did you mean "eggs"'):
        read(tmp_path / "a.csv", "text,bread,eggs\na,1,1\n", label_columns=["bread", "egg"])
    with pytest.raises(UserError, match="cannot be told"):
        read(tmp_path / "a.csv", "text,bread,labels\na,1,1\n", label_columns=["bread"])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("eggs", "are no list in JSON"),
        ({"eggs": 2}, "not all 1 or 0"),
        ([1], "are no list of texts"),
        (3, "are no list of texts"),
    ],
)
def test_what_is_no_set_is_rejected_with_the_reason(tmp_path: Path, value: object, reason: str) -> None:
    lines = [json.dumps({"text": "a", "labels": value}), json.dumps({"text": "b", "labels": []})]
    sets, rejects = read(tmp_path / "a.jsonl", "\n".join(lines))
    assert sets == [[]]
    assert reason in rejects[0]["reason"]
