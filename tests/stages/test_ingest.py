"""Raw files to records, through the stage as it runs."""

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tunegate.errors import UserError
from tunegate.inputs import Inputs
from tunegate.params import PipelineSettings
from tunegate.records import REJECT, read_table, record_schema
from tunegate.stages import Report, run_stage
from tunegate.tasks import record_of
from tunegate.workspace import Workspace

PAYLOAD = record_of("text_classification").PAYLOAD


def ingest(root: Path, files: dict[str, str | bytes], **settings: Any) -> tuple[list[dict[str, Any]], pa.Table, Report]:
    """Rows of records.parquet, rejects and report of a pipeline whose raw files these are."""
    workspace = Workspace(root)
    for name, content in files.items():
        path = workspace.raw("d") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    whole = PipelineSettings.model_validate(
        {"task": "text_classification", "data": "d", "model": "models/tiny", **settings}
    )
    Inputs(pipeline="p", params=whole.model_dump(mode="json", by_alias=True)).write(workspace.inputs("p"))
    report = run_stage("ingest", "p", workspace)
    folder = workspace.stage("p", "ingest")
    assert sorted(path.name for path in folder.iterdir()) == ["records.parquet", "rejects.parquet"]
    records = read_table(folder / "records.parquet")
    assert records.schema == record_schema(PAYLOAD)
    return records.to_pylist(), read_table(folder / "rejects.parquet"), report


def test_rows_know_their_file_line_and_columns(tmp_path: Path) -> None:
    rows, rejects, report = ingest(
        tmp_path,
        {"a.csv": "nr,message,team,channel\n7,hello,x,web\n8,bye\n", "b.tsv": "message\tteam\nciao\ty\n"},
        ingest={"columns": {"text": "message", "label": "team"}},
    )
    assert [(row["source"], row["source_line"], row["text"], row["label"]) for row in rows] == [
        ("data/raw/d/a.csv", 2, "hello", "x"),
        ("data/raw/d/b.tsv", 2, "ciao", "y"),
    ]
    assert [row["meta"] and json.loads(row["meta"]) for row in rows] == [{"nr": "7", "channel": "web"}, None]
    assert rejects.schema == REJECT
    assert rejects["source"].to_pylist() == ["data/raw/d/a.csv"]
    assert "| data/raw/d/a.csv | 1 | 1 | label: `team`, text: `message` |" in report.markdown()


def test_every_mapped_field_finds_its_column(tmp_path: Path) -> None:
    header = "key,first,second,class,person,part,times,who\n"
    fields = {"id": "key", "text": "first", "text_b": "second", "label": "class", "group": "person"}
    more = {"split": "part", "weight": "times", "annotator": "who"}
    rows, _, _ = ingest(
        tmp_path,
        {"a.csv": header + "1,a,b,x,p,test,2.5,w\n2,c,,y,,,,\n"},
        ingest={"columns": fields | more},
    )
    assert {name: rows[0][name] for name in (*fields, *more)} == {
        "id": "1",
        "text": "a",
        "text_b": "b",
        "label": "x",
        "group": "p",
        "split": "test",
        "weight": 2.5,
        "annotator": "w",
    }
    assert (rows[1]["text_b"], rows[1]["group"], rows[1]["weight"], rows[1]["annotator"]) == ("", None, 1.0, None)


def test_a_missing_column_is_named_beside_those_found(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        ingest(tmp_path, {"a.csv": "text,team\na,b\n"}, ingest={"columns": {"label": "Team"}})
    assert "Did you mean 'team'?" in caught.value.problem and "'text', 'team'" in caught.value.problem
    assert "ingest.columns" in caught.value.remedy and "rename the column" in caught.value.remedy


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"lable": "team"}, 'Did you mean "label"'),
        ({"label": "text", "text": "text"}, "have the same column 'text'"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_a_mistake(tmp_path: Path, columns: dict[str, str], says: str) -> None:
    with pytest.raises(UserError, match=says):
        ingest(tmp_path, {"a.csv": "text,team\na,b\n"}, ingest={"columns": columns})


def test_identical_rows_have_different_ids_and_the_same_rows_the_same_ids(tmp_path: Path) -> None:
    files = {"a.csv": "text,label\na,x\nb,x\na,x\n", "b.csv": "text,label\na,x\na,y\n"}
    rows, _, _ = ingest(tmp_path / "one", files)
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == 5
    assert (ids[2], ids[3]) == (f"{ids[0]}-2", f"{ids[0]}-3")
    again, _, _ = ingest(tmp_path / "two", {"a.csv": "text,label\nnew,x\n" + files["a.csv"].split("\n", 1)[1]})
    assert [row["id"] for row in again][1:] == ids[:3]


def test_given_ids_are_kept_even_twice_and_a_missing_one_is_made(tmp_path: Path) -> None:
    rows, _, _ = ingest(tmp_path, {"a.csv": "id,text,label\n1,a,x\n1,b,y\n,c,z\n"})
    assert [row["id"] for row in rows][:2] == ["1", "1"]
    assert len(rows[2]["id"]) == 32


def test_a_split_the_user_gives_is_honoured(tmp_path: Path) -> None:
    body = "text,label,split\n" + "".join(f"t{number},x,\n" for number in range(50)) + "own,x,validation\n"
    rows, _, report = ingest(
        tmp_path,
        {"train.csv": body, "test.csv": "text,label\nheld,x\n"},
        ingest={"files": {"test.csv": "test", "*.csv": "auto"}},
        split={"test": 0.0, "validation": 0.1},
    )
    split = {row["text"]: row["split"] for row in rows}
    assert split["held"] == "test" and split["own"] == "validation"
    assert report.model_dump()["splits"]["test"] == 1
    assert {split[f"t{number}"] for number in range(50)} == {"train", "validation"}


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    content = {"a.csv": "text,label\n" + "".join(f"t{number % 70},x\n" for number in range(100))}
    written = []
    for name in ("one", "two"):
        ingest(tmp_path / name, content)
        folder = Workspace(tmp_path / name).stage("p", "ingest")
        written.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert written[0] == written[1]


def test_missing_data_and_an_empty_folder_are_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data/raw/d is missing"):
        ingest(tmp_path, {})
    Workspace(tmp_path).raw("d").mkdir(parents=True)
    with pytest.raises(UserError, match="holds no files"):
        ingest(tmp_path, {})


def test_unreadable_files_beside_readable_ones_are_told(tmp_path: Path) -> None:
    _, _, report = ingest(tmp_path, {"a.csv": "text,label\na,x\n", "LICENSE": "free", "notes.docx": b"PK\x03\x04"})
    assert report.model_dump()["unread"] == ["LICENSE", "notes.docx"]
    assert "Not read: LICENSE, notes.docx." in report.markdown()


def test_a_hundred_thousand_rows_take_a_few_seconds(tmp_path: Path) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["text", "label", "channel"])
    writer.writerows([f"message number {n}, please answer", f"team {n % 9}", "web"] for n in range(100_000))
    start = time.process_time()
    rows, _, _ = ingest(tmp_path, {"a.csv": buffer.getvalue()})
    assert len(rows) == 100_000
    assert time.process_time() - start < 15  # about 3 on one slow core, making Python rows for this test included
