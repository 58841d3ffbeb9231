"""Single rows of raw files rewritten or taken out: reading again shows exactly that, and nothing else moved."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.data_versions.raw_edits import columns_of, edit_file
from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers import RawFile, file_of

ROWS = [("a", "first, quoted", "x"), ("b", "zweite Zeile", "y"), ("c", "两行\nText", "x"), ("d", 'says "no"', "z")]
PLAIN = IngestSettings()


def read(file: RawFile, settings: IngestSettings = PLAIN) -> dict[int, tuple[str, ...]]:
    """Line to cells."""
    rows: dict[int, tuple[str, ...]] = {}
    for chunk in file.read(settings):
        cells = [column.to_pylist() for column in chunk.rows.columns.columns]
        rows |= dict(zip(chunk.rows.lines.tolist(), zip(*cells, strict=True), strict=True))
    return rows


def write(folder: Path, form: str) -> RawFile:
    path = folder / f"rows.{form}"
    table = pa.table({name: [row[place] for row in ROWS] for place, name in enumerate(("id", "text", "label"))})
    if form == "parquet":
        pq.write_table(table, path)
    elif form == "arrow":
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    elif form == "jsonl":
        path.write_text("".join(pa_row(row) for row in table.to_pylist()), encoding="utf-8")
    elif form == "xlsx":
        from openpyxl import Workbook

        book = Workbook()
        for row in (("id", "text", "label"), *ROWS):
            book.active.append(row)
        book.save(path)
    else:
        delimiter = {"csv": ",", "tsv": "\t"}[form]
        lines = [delimiter.join(quoted(cell) for cell in row) for row in (("id", "text", "label"), *ROWS)]
        path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8", newline="")
    return file_of(path, PLAIN)


def pa_row(row: dict[str, str]) -> str:
    import json

    return json.dumps(row, ensure_ascii=False) + "\n"


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet", "arrow", "xlsx"])
def test_a_rewritten_row_and_one_taken_out_are_all_that_changes(tmp_path: Path, form: str) -> None:
    file = write(tmp_path, form)
    before = read(file)
    lines = list(before)
    assert columns_of(file, PLAIN) == ["id", "text", "label"]
    edit_file(file, PLAIN, {lines[1]: {"text": 'new, "text"', "label": "q"}, lines[3]: None})
    after = list(read(file).values())
    assert after == [before[lines[0]], ("b", 'new, "text"', "q"), before[lines[2]]]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-16-le", "cp1252"])
def test_a_file_keeps_its_encoding(tmp_path: Path, encoding: str) -> None:
    reading = IngestSettings(encoding=encoding)
    path = tmp_path / "rows.csv"
    path.write_text("id,text\n1,one\n2,two\n", encoding=encoding)
    file = file_of(path, reading)
    edit_file(file, reading, {2: {"text": "größer"}})
    assert list(read(file, reading).values()) == [("1", "größer"), ("2", "two")]
    assert path.read_text(encoding=encoding) == "id,text\n1,größer\n2,two\n"


def test_what_the_encoding_cannot_say_is_told(tmp_path: Path) -> None:
    reading = IngestSettings(encoding="cp1252")
    path = tmp_path / "rows.csv"
    path.write_text("id,text\n1,one\n", encoding="cp1252")
    with pytest.raises(UserError, match="cannot be written in cp1252"):
        edit_file(file_of(path, reading), reading, {2: {"text": "中"}})


def test_every_other_byte_of_a_text_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b'id,text\r\n1,"kept"\n\n2,two\r3,  spaces  \r\nbad,too,many\n4,last')
    edit_file(file_of(path, PLAIN), PLAIN, {4: {"text": "zwei"}, 6: {"id": "b", "text": "mended"}})
    assert path.read_bytes() == b'id,text\r\n1,"kept"\n\n2,zwei\r3,  spaces  \r\nb,mended\n4,last'


def test_a_line_that_is_not_there_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,text\n1,one\n")
    with pytest.raises(UserError, match="no row at line 9"):
        edit_file(file_of(path, PLAIN), PLAIN, {2: None, 9: None})
    assert path.read_text() == "id,text\n1,one\n"


def test_a_number_in_json_stays_a_number(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "label": 3}\n{"text": "b", "label": 4}')
    edit_file(file_of(path, PLAIN), PLAIN, {1: {"label": "5"}})
    assert path.read_text() == '{"text": "a", "label": 5}\n{"text": "b", "label": 4}'


@settings(max_examples=40, deadline=None)
@given(
    cells=st.lists(
        st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1), min_size=1
    ),
    data=st.data(),
)
def test_any_text_can_be_written_and_is_read_again(
    cells: list[str], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("edits") / "rows.csv"
    path.write_text("id,text\n" + "".join(f"{number},old\n" for number in range(len(cells))))
    chosen = data.draw(st.sets(st.integers(0, len(cells) - 1)))
    file = file_of(path, PLAIN)
    edit_file(file, PLAIN, {number + 2: {"text": cells[number]} for number in chosen})
    assert [text for _, text in read(file).values()] == [
        cells[number] if number in chosen else "old" for number in range(len(cells))
    ]
