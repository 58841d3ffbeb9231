"""Parquet, Arrow, XLSX, JSON lines and folders of Hugging Face datasets."""

import datetime
import json
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.text.readers.reading import read_bytes, read_file
from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers import choose_files


def described(schema: pa.Schema, names: list[str]) -> pa.Schema:
    """With the description of classes that `datasets` keeps in a schema."""
    features = {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": names, "_type": "ClassLabel"}}
    return schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def save_arrow(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


def save_sheet(path: Path, rows: list[list[Any]], sheets: tuple[str, ...] = ("rows",)) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_parquet_texts_are_read_whatever_way_they_are_kept(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.table({"text": pa.array(["NA", "b"]).cast(kind), "label": ["x", "y"], "n": [1, None]})
    pq.write_table(table, tmp_path / "a.parquet")
    records, _, _ = read_file(tmp_path / "a.parquet")
    assert records["text"].to_pylist() == ["NA", "b"]
    assert [json.loads(meta) for meta in records["meta"].to_pylist()] == [{"n": 1}, {"n": None}]
    assert records["source_line"].to_pylist() == [1, 2]


def test_parquet_nulls_and_numbers_are_no_texts(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a", None, "c"], "label": ["x", "y", None]}), tmp_path / "a.parquet")
    records, rejects, _ = read_file(tmp_path / "a.parquet")
    assert records["text"].to_pylist() == ["a"]
    assert rejects["rule"].to_pylist() == ["FIELD_MISSING", "FIELD_MISSING"]
    pq.write_table(pa.table({"text": [1, 2], "label": ["x", "y"]}), tmp_path / "b.parquet")
    with pytest.raises(UserError, match="FIELD_TYPE"):
        read_file(tmp_path / "b.parquet")


def test_whole_numbers_are_labels_when_all_of_them_are(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a", "b"], "label": [0, 1]}), tmp_path / "a.parquet")
    assert read_file(tmp_path / "a.parquet")[0]["label"].to_pylist() == ["0", "1"]
    lines = b'{"text": "a", "label": 1}\n{"text": "b", "label": "1"}\n{"text": "c", "label": 2}\n'
    records, rejects, _ = read_bytes(tmp_path, "a.jsonl", lines)
    assert records["label"].to_pylist() == ["1", "2"]
    assert rejects["source_line"].to_pylist() == [2]


def test_named_classes_get_their_names_and_unlabelled_rows_are_rejected(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", "b", "c"], "label": [1, 0, -1]})
    save_arrow(tmp_path / "a.arrow", table.cast(described(table.schema, ["no", "yes"])))
    records, rejects, _ = read_file(tmp_path / "a.arrow")
    assert records["label"].to_pylist() == ["yes", "no"]
    assert rejects.select(["source_line", "rule"]).to_pylist() == [{"source_line": 3, "rule": "FIELD_MISSING"}]


def test_a_parquet_text_that_is_no_utf8_is_a_reject(tmp_path: Path) -> None:
    bad = pa.array([b"fine", b"\xff"]).view(pa.string())
    pq.write_table(pa.table({"text": bad, "label": ["x", "y"]}), tmp_path / "a.parquet")
    records, rejects, _ = read_file(tmp_path / "a.parquet")
    assert records["text"].to_pylist() == ["fine"]
    assert rejects["rule"].to_pylist() == ["ENC_INVALID"]


def test_a_sheet_reads_as_a_person_typed_it(tmp_path: Path) -> None:
    when = datetime.datetime(2024, 5, 6)
    rows = [
        ["text", "label", "when"],
        ["NA", 3, when],
        [None, 4.5, None],
        [],
        ["=1+1", True, "x"],
        ["a", "b", "c", "d"],
    ]
    save_sheet(tmp_path / "a.xlsx", rows)
    records, rejects, _ = read_file(tmp_path / "a.xlsx")
    assert records["label"].to_pylist()[:2] == ["3", "4.5"]
    assert records["text"].to_pylist()[:2] == ["NA", ""]
    assert json.loads(records["meta"].to_pylist()[0]) == {"when": "2024-05-06"}
    assert records["source_line"].to_pylist() == [2, 3, 5]
    assert rejects.select(["source_line", "rule"]).to_pylist() == [{"source_line": 6, "rule": "ROW_LONG"}]


def test_of_several_sheets_one_must_be_named(tmp_path: Path) -> None:
    save_sheet(tmp_path / "a.xlsx", [["text", "label"], ["a", "b"]], ("old", "new"))
    with pytest.raises(UserError, match='several sheets: "old", "new"'):
        read_file(tmp_path / "a.xlsx")
    with pytest.raises(UserError, match='Did you mean "new"'):
        read_file(tmp_path / "a.xlsx", sheet="neww")
    assert read_file(tmp_path / "a.xlsx", sheet="new")[0].num_rows == 1


def test_what_no_field_names_is_kept_as_json(tmp_path: Path) -> None:
    row = {"text": "a", "label": "b", "deep": {"x": [1, 2.5, "é"]}, "yes": True, "quote": 'a"b\\'}
    records, _, _ = read_bytes(tmp_path, "a.jsonl", (json.dumps(row) + '\n{"text": "a", "label": "b"}\n').encode())
    kept = [json.loads(meta) for meta in records["meta"].to_pylist()]
    assert kept == [{key: row[key] for key in ("deep", "yes", "quote")}, {}]


def test_line_separators_inside_json_texts_end_no_line(tmp_path: Path) -> None:
    content = '{"text": "a\u2028b\u0085c", "label": "x"}\n{"text": "b", "label": "y"}'.encode()
    records, _, _ = read_bytes(tmp_path, "a.ndjson", content)
    assert records["text"].to_pylist() == ["a\u2028b\u0085c", "b"]


# --- which files of a folder ------------------------------------------------------------------------------------


def chosen(folder: Path, **settings: Any) -> tuple[dict[str, str], list[str]]:
    files, unread = choose_files(folder, IngestSettings(**settings), lambda path: path.name)
    return {file.path.relative_to(folder).as_posix(): file.split for file in files}, unread


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def test_the_first_pattern_that_fits_a_file_decides(tmp_path: Path) -> None:
    touch(tmp_path, "train.csv", "test.csv", "more/rows.csv", "LICENSE", ".hidden.csv")
    files, unread = chosen(tmp_path, files={"test.csv": "test", "*.csv": "auto"})
    assert files == {"more/rows.csv": "auto", "test.csv": "test", "train.csv": "auto"}
    assert unread == ["LICENSE"]


@pytest.mark.parametrize("files", [{"*.csv": "auto", "test.csv": "test"}, {"*.csv": "auto", "*.txt": "train"}])
def test_a_pattern_without_a_file_is_a_mistake_that_names_the_files(tmp_path: Path, files: dict[str, str]) -> None:
    touch(tmp_path, "test.csv", "notes.txt")
    with pytest.raises(UserError, match=r"holds: notes\.txt, test\.csv"):
        chosen(tmp_path, files=files)


def test_a_saved_dataset_keeps_its_splits_and_its_left_overs_are_not_read(tmp_path: Path) -> None:
    table = pa.table({"text": ["a"], "label": ["b"]})
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    for split in ("train", "test"):
        save_arrow(tmp_path / split / "data-00000-of-00001.arrow", table)
        save_arrow(tmp_path / split / "cache-0123.arrow", table)
        state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
        (tmp_path / split / "state.json").write_text(json.dumps(state))
    files, _ = chosen(tmp_path, format="huggingface")
    assert files == {"test/data-00000-of-00001.arrow": "test", "train/data-00000-of-00001.arrow": "train"}


def test_the_hubs_file_names_say_the_split_and_a_single_one_says_nothing(tmp_path: Path) -> None:
    touch(tmp_path, "data/train-00000-of-00001.parquet")
    assert chosen(tmp_path)[0] == {"data/train-00000-of-00001.parquet": "auto"}
    touch(tmp_path, "data/dev-00000-of-00001.parquet")
    assert set(chosen(tmp_path)[0].values()) == {"train", "validation"}
    touch(tmp_path, "data/unsupervised-00000-of-00001.parquet")
    with pytest.raises(UserError, match='"unsupervised"'):
        chosen(tmp_path)
