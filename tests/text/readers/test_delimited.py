"""CSV and TSV: the fast way and the careful way read the same, and no row is lost on either."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.text.readers.reading import read_bytes
from tunegate.errors import UserError
from tunegate.text.readers.blocks import regular_block
from tunegate.text.readers.careful import Layout, careful_rows

LAYOUT = Layout(b",", True, 2)
CELLS = st.text(alphabet='ab",\n\r é中 ', max_size=8)


def written(rows: list[list[str]], line_end: str = "\n") -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    return buffer.getvalue().encode()


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1), st.sampled_from(["\n", "\r\n"]))
def test_the_careful_way_reads_back_what_a_csv_writer_wrote(rows: list[tuple[str, str]], line_end: str) -> None:
    data = written([list(row) for row in rows], line_end)
    assert [tuple(row.cells) for row in careful_rows(data, 0, len(data), LAYOUT)] == rows


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1), st.sampled_from(["\n", "\r\n"]))
def test_where_the_fast_way_reads_it_reads_the_same(rows: list[tuple[str, str]], line_end: str) -> None:
    assert_same(written([list(row) for row in rows], line_end))


@given(st.text(alphabet='ab",\n\r é', max_size=40))
def test_the_fast_way_leaves_everything_doubtful_to_the_careful_way(text: str) -> None:
    assert_same(text.encode())


def assert_same(data: bytes) -> None:
    """A regular block holds the careful way's rows at the careful way's places, and that way finds no fault."""
    block = regular_block(data, 0, 1, LAYOUT, ["a", "b"])
    if block is None:
        return
    careful, line = [], 1
    for row in careful_rows(data, 0, len(data), LAYOUT):
        assert row.fault is None
        if row.cells:
            careful.append((line, row.start, *row.cells))
        line += row.breaks
    a, b = (block.rows.columns[name].to_pylist() for name in "ab")
    assert list(zip(block.rows.lines, block.rows.offsets, a, b, strict=True)) == careful


ROW = st.sampled_from(
    [
        b"fine,x",
        b'"quoted, fine",x',
        b'"two\nlines",x',
        b"short",
        b"a,b,long",
        b'"open,x',
        b"\xff,x",
        b"a\0,x",
        b'5" ,x',
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(ROW, min_size=1, max_size=12))
def test_every_row_ends_in_exactly_one_of_records_and_rejects(tmp_path: Path, rows: list[bytes]) -> None:
    """A row that is broken alone may take its lines apart, but every line of the file is in one row or reject."""
    content = b"text,label\n" + b"\n".join(rows) + b"\n"
    try:
        records, rejects, report = read_bytes(tmp_path, "rows.csv", content)
    except UserError:  # not a single row can be read
        assert not {b"fine,x", b'"quoted, fine",x', b'5" ,x'} & set(rows)
        return
    assert (report.rows, report.rejected) == (records.num_rows, rejects.num_rows)
    lines: list[int] = []
    for start, text in zip(records["source_line"].to_pylist(), records["text"].to_pylist(), strict=True):
        lines += range(start, start + text.count("\n") + 1)
    lines += rejects["source_line"].to_pylist()
    assert sorted(lines) == list(range(2, content.count(b"\n") + 1))


def test_texts_that_look_like_nothing_or_like_dates_stay_as_they_are(tmp_path: Path) -> None:
    texts = ["NA", "null", "None", "", "nan", "2020-01-01", "01", "1.0", "1e5", "TRUE", " x "]
    records, _, _ = read_bytes(tmp_path, "a.csv", written([["text", "label"], *([text, "l"] for text in texts)]))
    assert records["text"].to_pylist() == texts
    assert records["text"].null_count == 0


def test_the_line_of_a_row_is_its_first_one(tmp_path: Path) -> None:
    content = b'text,label\r\n"one\r\ntwo\r\n",a\r\n\r\nthree,b\r\n'
    records, _, _ = read_bytes(tmp_path, "a.csv", content)
    assert records["source_line"].to_pylist() == [2, 6]


def test_a_reject_has_the_byte_at_which_its_line_starts(tmp_path: Path) -> None:
    content = "text,label\nschön,a\nzu kurz\nfine,b\n".encode()
    _, rejects, _ = read_bytes(tmp_path, "a.csv", content)
    offset = rejects["byte_offset"].to_pylist()[0]
    assert content[offset:].startswith(b"zu kurz\n")


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-16-le", "utf-32", "big5", "shift_jis"])
def test_byte_offsets_are_those_of_the_file_in_its_own_encoding(tmp_path: Path, encoding: str) -> None:
    before = "text,label\n好的,a\n"
    content = f"{before}短\n大,b\n".encode(encoding)
    records, rejects, _ = read_bytes(tmp_path, "a.csv", content, encoding=encoding)
    offset = rejects["byte_offset"].to_pylist()[0]
    assert records["text"].to_pylist() == ["好的", "大"]
    assert offset == len(before.encode(encoding))


def test_undecodable_bytes_of_a_declared_encoding_cost_their_row_alone(tmp_path: Path) -> None:
    content = "text,label\n好,a\n".encode("gb18030") + b"\xff\xff,b\n" + "坏,b\n".encode("gb18030")
    records, rejects, _ = read_bytes(tmp_path, "a.csv", content, encoding="gb18030")
    assert records["text"].to_pylist() == ["好", "坏"]
    assert rejects.select(["source_line", "rule"]).to_pylist() == [{"source_line": 3, "rule": "ENC_INVALID"}]


def test_a_cell_of_ten_megabytes_is_read(tmp_path: Path) -> None:
    text = "word\n" * 1_200_000
    content = b"text,label\n" + b'"' + text.encode() + b'",a\nb,c\n'
    records, rejects, _ = read_bytes(tmp_path, "a.csv", content)
    assert records["text"].to_pylist() == [text, "b"]
    assert records["source_line"].to_pylist() == [2, 1_200_003]
    assert not rejects.num_rows


def test_many_unclosed_quotes_take_no_square_of_time(tmp_path: Path) -> None:
    content = b"text,label\n" + b'"open,x\n' * 20_000 + b"fine,x\n"
    records, rejects, _ = read_bytes(tmp_path, "a.csv", content)
    assert (records.num_rows, rejects.num_rows) == (1, 20_000)


def test_quotes_are_letters_where_the_settings_say_so(tmp_path: Path) -> None:
    content = b'text\tlabel\n"open\ta\n"both"\tb\n'
    records, _, _ = read_bytes(tmp_path, "a.tsv", content, quoting=False)
    assert records["text"].to_pylist() == ['"open', '"both"']
