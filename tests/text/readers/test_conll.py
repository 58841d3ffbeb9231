"""Sentences of CoNLL files become rows of words and tags; what is no sentence is rejected with its line."""

import json
from pathlib import Path
from typing import Any

import pytest

from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers.conll import read_conll
from tunegate.text.readers.rows import Chunk
from tunegate.text.readers.spans import read_spans


def read(path: Path, content: str | bytes, form: str = "conll", **settings: Any) -> tuple[list[dict[str, Any]], Chunk]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    reader = read_spans if form == "spans" else read_conll
    (chunk,) = reader(path, path.name, form, IngestSettings(**settings))
    marks = {name: chunk.rows.literal(name) for name in chunk.rows.columns.schema.names}
    rows = [
        {name: json.loads(cell) if cell and marks[name][row] else cell for name, cell in cells.items() if cell}
        for row, cells in enumerate(chunk.rows.columns.to_pylist())
    ]
    return rows, chunk


def test_blank_lines_part_sentences_and_the_last_column_is_the_tag(tmp_path: Path) -> None:
    content = "-DOCSTART- -X- O\n\nAnna NNP B-per\nlives VBZ O\n\n\nRome NNP I-loc\n"
    rows, chunk = read(tmp_path / "a.conll", content)
    assert rows == [
        {"tokens": ["Anna", "lives"], "column2": ["NNP", "VBZ"], "tags": ["B-per", "O"]},
        {"tokens": ["Rome"], "column2": ["NNP"], "tags": ["I-loc"]},
    ]
    assert chunk.rows.lines.tolist() == [3, 7]
    assert not chunk.rejects


def test_a_word_may_be_a_blank_like_character_where_tabs_part_columns(tmp_path: Path) -> None:
    rows, _ = read(tmp_path / "a.conll", "New York\tB-loc\r\nis\tO\r\n")
    assert rows == [{"tokens": ["New York", "is"], "tags": ["B-loc", "O"]}]


def test_a_ragged_sentence_is_rejected_with_its_line_and_the_others_stay(tmp_path: Path) -> None:
    rows, chunk = read(tmp_path / "a.conll", "Anna B-per\nlives\n\nRome B-loc\n")
    assert [row["tokens"] for row in rows] == [["Rome"]]
    (reject,) = chunk.rejects
    assert (reject.source_line, reject.rule) == (1, "CONLL_COLUMNS")
    assert reject.reason == "line 2 has 1 columns, not 2"


def test_universal_dependencies_name_their_columns_ids_and_documents(tmp_path: Path) -> None:
    content = (
        "# newdoc id = d1\n# sent_id = s1\n# text = don't go\n"
        "1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n"
        "1\tdo\tdo\tAUX\tVBP\t_\t3\taux\t_\t_\n2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_\n"
        "2.1\tsilent\t_\t_\t_\t_\t_\t_\t_\t_\n3\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\t_\n\n"
    )
    ((row,), _) = read(tmp_path / "a.conllu", content, "conllu")
    assert (row["id"], row["group"]) == ("s1", "d1")
    assert row["tokens"] == ["do", "n't", "go"] and row["upos"] == ["AUX", "PART", "VERB"]
    assert row["heads"] == ["3", "3", "0"]
    assert row["relations"] == ["aux", "advmod", "root"]


@pytest.mark.parametrize("numbers", [["2"], ["1", "1"], ["1", "3"], ["1", "1.x"], ["1", "-2"], ["0"], ["01"], ["one"]])
def test_words_that_are_not_numbered_one_by_one_reject_their_sentence(tmp_path: Path, numbers: list[str]) -> None:
    """Heads are such numbers: in a file with a gap they would mean other words."""
    line = "{}\tw\tw\tX\tX\t_\t0\troot\t_\t_\n"
    content = "".join(map(line.format, numbers)) + "\n" + line.format("1") + "\n"
    rows, chunk = read(tmp_path / "a.conllu", content, "conllu")
    assert len(rows) == 1
    (reject,) = chunk.rejects
    assert reject.rule == "CONLL_NUMBER"
    assert repr(numbers[-1]) in reject.reason


def test_a_sentence_may_begin_with_an_empty_node_and_end_with_a_range(tmp_path: Path) -> None:
    line = "{}\tw\tw\tX\tX\t_\t0\troot\t_\t_\n"
    content = "".join(map(line.format, ["0.1", "1", "2-3", "2", "3", "3.1", "10.12"])) + "\n"
    ((row,), chunk) = read(tmp_path / "a.conllu", content, "conllu")
    assert len(row["tokens"]) == 3 and not chunk.rejects


def test_other_encodings_are_declared_and_wrong_bytes_named(tmp_path: Path) -> None:
    rows, _ = read(tmp_path / "a.conll", "北 B-loc\n京 I-loc\n".encode("gb18030"), encoding="gb18030")
    assert rows[0]["tokens"] == ["北", "京"]
    rows, chunk = read(tmp_path / "b.conll", b"caf\xe9 O\n\nRome B-loc\n")
    assert len(rows) == 1 and chunk.rejects[0].rule == "ENC_INVALID"


def test_a_file_without_a_sentence_is_a_sentence_for_people(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no sentence"):
        read(tmp_path / "a.conll", "\n\n")


TEXT = "Anna lives in New York"


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "spans": [{"start": 0, "end": 4, "label": "per"}, {"start": 14, "end": 22, "label": "loc"}]},
        {"text": TEXT, "label": [[14, 22, "loc"], [0, 4, "per"]], "id": "r1"},
        {"text": TEXT, "entities": [{"start_offset": 0, "end_offset": 5, "label": "per"}, [14, 22, "loc"]]},
        {
            "data": {"text": TEXT},
            "annotations": [
                {
                    "result": [
                        {"value": {"start": 0, "end": 4, "labels": ["per"], "text": "Anna"}},
                        {"value": {"start": 14, "end": 22, "labels": ["loc"], "text": "New York"}},
                    ]
                }
            ],
        },
    ],
)
def test_marked_spans_become_tags_of_words(tmp_path: Path, row: dict[str, Any]) -> None:
    (found,), _ = read(tmp_path / "a.jsonl", json.dumps(row) + "\n", "spans")
    assert found["tokens"] == TEXT.split() and found["starts"] == [0, 5, 11, 14, 18]
    assert found["tags"] == ["B-per", "O", "O", "B-loc", "I-loc"]
    assert found.get("id") == row.get("id")


@pytest.mark.parametrize(
    ("span", "rule"),
    [
        ({"start": 0, "end": 40, "label": "per"}, "SPAN_BOUNDS"),
        ({"start": 4, "end": 4, "label": "per"}, "SPAN_BOUNDS"),
        ({"start": 0, "end": 3, "label": "per"}, "SPAN_WORDS"),
        ({"start": 0, "end": 4, "label": "per", "text": "lives"}, "SPAN_TEXT_MISMATCH"),
        ({"start": "0", "end": 4, "label": "per"}, "SPAN_SHAPE"),
        ([0, 4], "SPAN_SHAPE"),
        ({"start": 11, "end": 22, "label": "x"}, "SPAN_OVERLAP"),
    ],
)
def test_a_span_that_cannot_be_is_named_and_its_row_rejected(tmp_path: Path, span: Any, rule: str) -> None:
    row = {"text": TEXT, "spans": [{"start": 14, "end": 22, "label": "loc"}, span]}
    rows, chunk = read(tmp_path / "a.jsonl", json.dumps(row) + "\n" + json.dumps({"text": TEXT, "spans": []}), "spans")
    assert [reject.rule for reject in chunk.rejects] == [rule]
    assert [found["tags"] for found in rows] == [["O"] * 5]
