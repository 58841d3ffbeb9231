"""Questions of SQuAD and CMRC 2018 files become rows; what is no question is rejected with its number."""

import json
from pathlib import Path
from typing import Any

import pytest

from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers import choose_files, file_of
from tunegate.text.readers.rows import Chunk

CONTEXT = "Anna lives in Rome."


def question(**more: Any) -> dict[str, Any]:
    return {"id": "q1", "question": "Who?", "answers": [{"text": "Anna", "answer_start": 0}], **more}


def squad(*questions: Any, **paragraph: Any) -> dict[str, Any]:
    return {
        "version": "1.1",
        "data": [{"title": "Rome", "paragraphs": [{"context": CONTEXT, "qas": [*questions], **paragraph}]}],
    }


def read(path: Path, content: Any, **settings: Any) -> tuple[list[dict[str, Any]], Chunk]:
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode())
    (chunk,) = file_of(path, IngestSettings(**settings)).read(IngestSettings(**settings))
    marks = {name: chunk.rows.literal(name) for name in chunk.rows.columns.schema.names}
    rows = [
        {name: json.loads(cell) if marks[name][row] else cell for name, cell in cells.items() if cell is not None}
        for row, cells in enumerate(chunk.rows.columns.to_pylist())
    ]
    return rows, chunk


def test_a_question_is_a_row_with_its_passage_and_its_documents_title_as_group(tmp_path: Path) -> None:
    rows, chunk = read(tmp_path / "a.json", squad(question(), question(id=7, kind="who")))
    answers = [{"text": "Anna", "answer_start": 0}]
    plain = {"group": "Rome", "question": "Who?", "passage": CONTEXT, "answers": answers}
    assert rows == [{"id": "q1", **plain}, {"id": "7", **plain, "kind": "who"}]
    assert chunk.rows.lines.tolist() == [1, 2]
    assert not chunk.rejects


def test_an_answer_is_absent_only_where_the_file_says_that_there_is_none(tmp_path: Path) -> None:
    said = question(answers=[], is_impossible=True, plausible_answers=[{"text": "Rome", "answer_start": 14}])
    unsaid = question(answers=[])
    rows, _ = read(tmp_path / "a.json", squad(said, unsaid, question(is_impossible=False)))
    assert rows[0]["answers"] == [] and rows[0]["plausible_answers"]
    assert "answers" not in rows[1]
    assert len(rows[2]["answers"]) == 1


def test_cmrcs_own_form_is_read_too(tmp_path: Path) -> None:
    asked = {"query_id": "DEV_0_QUERY_0", "query_text": "谁？", "answers": ["光荣"]}
    rows, _ = read(tmp_path / "a.json", [{"context_id": "DEV_0", "context_text": "由光荣开发", "qas": [asked]}])
    assert rows == [{"id": "DEV_0_QUERY_0", "question": "谁？", "passage": "由光荣开发", "answers": ["光荣"]}]


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ("Who?", "QA_SHAPE"),
        (question(question=None), "FIELD_MISSING"),
        (question(question=["Who?"]), "FIELD_MISSING"),
        (question(is_impossible=True), "QA_IMPOSSIBLE"),
        (question(is_impossible="yes"), "QA_IMPOSSIBLE"),
        (question(question="\ud800"), "SURROGATE"),
    ],
)
def test_what_is_no_question_is_rejected_with_its_number_and_the_others_stay(
    tmp_path: Path, asked: Any, rule: str
) -> None:
    content = json.dumps(squad(question(), asked, question())).encode()
    rows, chunk = read(tmp_path / "a.json", content)
    assert len(rows) == 2 and chunk.rows.lines.tolist() == [1, 3]
    assert [(reject.source_line, reject.rule) for reject in chunk.rejects] == [(2, rule)]


def test_questions_without_their_passage_are_rejected(tmp_path: Path) -> None:
    rows, chunk = read(tmp_path / "a.json", squad(question(), context=None))
    assert not rows and chunk.rejects[0].reason == "the passage is missing, or no text"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"data": [{"paragraphs": [', "is no JSON"),
        (b'{"paragraphs": []}', "no list of documents"),
        (b'{"data": [], "paragraphs": []}', "holds no question"),
        (b'{"qas": 1, "qas": 2}', "stands twice"),
        (b'{"qas": NaN}', "NaN is no JSON"),
        ('{"qas": "é"}'.encode("latin-1"), "is not UTF-8"),
        (b'{"qas": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence_for_people(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(tmp_path / "a.json", content)


def test_other_encodings_are_declared(tmp_path: Path) -> None:
    content = json.dumps(squad(question(question="谁？")), ensure_ascii=False).encode("gb18030")
    rows, _ = read(tmp_path / "a.json", content, encoding="gb18030")
    assert rows[0]["question"] == "谁？"


def test_only_json_files_of_this_kind_are_taken_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text(json.dumps(squad(question())))
    (tmp_path / "package.json").write_text('{"name": "x"}')
    chosen, unread = choose_files(tmp_path, IngestSettings(), lambda path: path.name)
    assert [(file.source, file.form) for file in chosen] == [("dev.json", "squad")]
    assert unread == ["package.json"]
