"""Tables of rows and their files."""

from pathlib import Path

import pyarrow as pa
import pytest

from tunegate.errors import UserError
from tunegate.records import ROW, Payload, read_table, record_schema, write_table

PAYLOAD = (Payload("text", "text", required=True, description="the text"), Payload("more", "text", False, "more"))
TABLE = pa.table({"id": ["a", "b"], "text": ["null", "NA"]})


def test_a_records_table_has_the_row_columns_then_the_tasks() -> None:
    schema = record_schema(PAYLOAD)
    assert schema.names == [*ROW.names, "text", "more"]
    assert not schema.field("text").nullable
    assert schema.field("more").nullable


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_table(TABLE, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_words_that_look_like_nothing_stay_words(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "rows")
    assert read_table(tmp_path / "rows")["text"].to_pylist() == ["null", "NA"]


def test_some_columns_can_be_read_alone(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "rows")
    assert read_table(tmp_path / "rows", ["id"]).column_names == ["id"]


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is missing"):
        read_table(tmp_path / "rows")


@pytest.mark.parametrize("content", [b"", b"not a parquet file, but long enough to be read as one"])
def test_a_damaged_file_is_a_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "rows").write_bytes(content)
    with pytest.raises(UserError, match="is damaged"):
        read_table(tmp_path / "rows")
