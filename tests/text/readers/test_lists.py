"""Columns that together are one list, and answers that stand in a file of their own."""

import json
from pathlib import Path
from typing import Any

import pytest

from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers import RawFile, choose_files, file_of
from tunegate.text.readers.rows import Chunk

OPTIONS = {"lists": {"options": ["a", "b", "c"]}}


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def chunks(file: RawFile, **settings: Any) -> list[Chunk]:
    return list(file.read(IngestSettings.model_validate(settings)))


def rows(found: list[Chunk]) -> list[dict[str, Any]]:
    return [row for chunk in found for row in chunk.rows.columns.to_pylist()]


def test_columns_become_a_list_in_their_place(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", 'id,a,b,c\n1,one,"two, too",three\n')
    found = chunks(file_of(path, IngestSettings()), **OPTIONS)
    assert rows(found) == [{"id": "1", "options": json.dumps(["one", "two, too", "three"])}]
    assert found[0].rows.literal("options").all()


def test_empty_cells_at_the_end_are_options_that_are_not_there_and_others_stay(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "id,a,b,c\n1,one,two,\n2,one,,three\n")
    found = [json.loads(row["options"]) for row in rows(chunks(file_of(path, IngestSettings()), **OPTIONS))]
    assert found == [["one", "two"], ["one", "", "three"]]


def test_keys_that_a_json_line_lacks_are_no_members(tmp_path: Path) -> None:
    path = written(tmp_path / "x.jsonl", '{"a": "one", "b": "two", "c": "three"}\n{"a": "one", "b": "two"}\n')
    found = [json.loads(row["options"]) for row in rows(chunks(file_of(path, IngestSettings()), **OPTIONS))]
    assert found == [["one", "two", "three"], ["one", "two"]]


def test_a_column_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "id,optionA,optionB\n1,one,two\n")
    with pytest.raises(UserError, match=r'no column "OptionA".*Did you mean "optionA"'):
        chunks(file_of(path, IngestSettings()), lists={"options": ["OptionA", "optionB"]})


def test_a_list_does_not_hide_a_column_of_its_name(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "options,a,b,c\nx,1,2,3\n")
    with pytest.raises(UserError, match="has one of that name already"):
        chunks(file_of(path, IngestSettings()), **OPTIONS)


def test_numbers_of_options_are_counted_from_zero(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "text,answer\na,1\nb,2\nc,B\n")
    assert [row["answer"] for row in rows(chunks(file_of(path, IngestSettings()), first_option=1))] == ["0", "1", "B"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path / "train/data.csv", "id,text\n7,seven\n8,eight\n9,nine\n")
    written(tmp_path / "train/gold.csv", "7,yes\n9,no\n10,no\n9,yes\n11\n")
    written(tmp_path / "dev/data.csv", "id,text\n7,other\n")
    written(tmp_path / "dev/gold.csv", "7,no\n")
    return tmp_path


JOINED = {
    "files": {"train/data.csv": "train", "dev/data.csv": "test"},
    "answers": {"train/data.csv": "train/gold.csv", "dev/data.csv": "dev/gold.csv"},
}


def test_answers_are_joined_by_the_id_and_their_files_are_not_left_unread(folder: Path) -> None:
    settings = IngestSettings.model_validate(JOINED)
    files, unread = choose_files(folder, settings, lambda path: path.relative_to(folder).as_posix())
    assert unread == []
    found = {file.source: rows(chunks(file)) for file in files}
    assert found["dev/data.csv"] == [{"id": "dev/data.csv:7", "text": "other", "answer": "no"}]
    assert [(row["id"], row["answer"]) for row in found["train/data.csv"]] == [
        ("train/data.csv:7", "yes"),
        ("train/data.csv:9", "no"),
    ]


def test_rows_without_an_answer_and_answers_without_a_row_are_rejected_in_their_own_file(folder: Path) -> None:
    settings = IngestSettings.model_validate(JOINED)
    files = choose_files(folder, settings, lambda path: path.relative_to(folder).as_posix())[0]
    train = next(file for file in files if file.source == "train/data.csv")
    rejects = [(each.source, each.source_line, each.rule) for chunk in chunks(train) for each in chunk.rejects]
    assert sorted(rejects) == [
        ("", 3, "ANSWER_MISSING"),
        ("train/gold.csv", 3, "ANSWER_ALONE"),
        ("train/gold.csv", 4, "ANSWER_TWICE"),
        ("train/gold.csv", 5, "ANSWER_LINE"),
    ]


@pytest.mark.parametrize(
    ("gold", "said"), [("99,yes\n", "No row has an id"), (None, "which is not there")], ids=["other ids", "no file"]
)
def test_a_file_of_other_rows_answers_is_refused(tmp_path: Path, gold: str | None, said: str) -> None:
    path = written(tmp_path / "data.csv", "id,text\n7,seven\n")
    if gold:
        written(tmp_path / "gold.csv", gold)
    settings = IngestSettings.model_validate({"answers": {"data.csv": "gold.csv"}, "files": {"data.csv": "auto"}})
    (file,), _ = choose_files(tmp_path, settings, lambda found: found.name)
    assert file.path == path
    with pytest.raises(UserError, match=said):
        list(file.read(settings))


def test_rows_need_an_id_to_be_joined_by(tmp_path: Path) -> None:
    written(tmp_path / "data.csv", "number,text\n7,seven\n")
    written(tmp_path / "gold.csv", "7,yes\n")
    settings = IngestSettings.model_validate({"answers": {"data.csv": "gold.csv"}, "files": {"data.csv": "auto"}})
    (file,), _ = choose_files(tmp_path, settings, lambda found: found.name)
    with pytest.raises(UserError, match="need a column `id`"):
        list(file.read(settings))
