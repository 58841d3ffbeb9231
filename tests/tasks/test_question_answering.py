"""Answers are words of the passage at their places; data whose answers are no such words is named, row by row."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.tasks.perfect import perfect_outputs
from tests.tiny import tiny_tokenizer
from tunegate.params import IngestSettings, SplitSettings, ValidateSettings
from tunegate.progress import Progress
from tunegate.records import SPLITS
from tunegate.stages.ingest import ingest
from tunegate.task import Reading, TextTokenizer
from tunegate.tasks import answering_of, encoding_of, record_of
from tunegate.text.readers import file_of
from tunegate.text.tokens import load_tokenizer
from tunegate.validation.checks import Rules
from tunegate.validation.examine import Examination, examine

TASK = "question_answering"
OPTIONS = {"max_answer_tokens": 8}
PART, ANSWERING = record_of(TASK), answering_of(TASK)
PASSAGE = "光荣开发了这个游戏，光荣在日本。"


def table(*rows: tuple[str, str, list[dict[str, Any]]]) -> pa.Table:
    return pa.table(
        {
            "question": [row[0] for row in rows],
            "passage": [row[1] for row in rows],
            "answers": pa.array([row[2] for row in rows], PART.PAYLOAD[2].type),
        }
    )


def answer(text: str, start: int | None) -> dict[str, Any]:
    return {"text": text, "start": start}


@pytest.mark.parametrize(
    ("answers", "code", "detail"),
    [
        ([answer("光荣", 0)], None, ""),
        ([answer("光荣", 10), answer("日本", 13)], None, ""),
        ([answer("日本", None)], None, ""),
        ([], None, ""),
        ([answer("FAKE_ANSWER_1", -1), answer("FAKE_ANSWER_2", -1)], "ANSWER_FAKE", "'FAKE_ANSWER_1'"),
        ([answer(" ", 0), answer("光荣", 0)], "ANSWER_EMPTY", None),
        ([answer("光荣", 1)], "ANSWER_PLACE", "'光荣' stands at 0, 10, not at 1"),
        ([answer("光荣", None)], "ANSWER_PLACE", "'光荣' stands at 0, 10, and no start is given"),
        ([answer("39764.0", -1)], "ANSWER_ABSENT", "'39764.0' does not stand in it"),
        ([answer("日本", 13), answer("39764.0", -1)], "ANSWER_SOME", "1 of 2: '39764.0', start -1"),
    ],
)
def test_each_row_is_judged_by_where_its_answers_stand(
    answers: list[dict[str, Any]], code: str | None, detail: str | None
) -> None:
    facts = PART.facts(table(("谁？", PASSAGE, answers)))
    broken = [check for check in PART.CHECKS if facts[check.fact][0]]
    assert [check.code for check in broken] == ([code] if code else [])
    if broken and detail is not None:
        assert broken[0].detail is not None
        assert broken[0].detail({"passage": PASSAGE, "answers": answers}) == detail


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ('[{"text": "a", "start": 3}]', [answer("a", 3)]),
        ('[{"text": "a", "answer_start": 3}, "b"]', [answer("a", 3), answer("b", None)]),
        ('{"text": ["a", "b"], "answer_start": [3, 4]}', [answer("a", 3), answer("b", 4)]),
        ('{"text": [], "answer_start": []}', []),
        ("[]", []),
    ],
)
def test_answers_are_read_as_people_write_them(cell: str, wanted: list[dict[str, Any]]) -> None:
    parse = PART.PAYLOAD[2].parse
    assert parse is not None
    assert parse(cell) == wanted


@pytest.mark.parametrize(
    "cell",
    [
        "Anna",
        "3",
        '[{"start": 3}]',
        '[["a", 3]]',
        '[{"text": "a", "start": "3"}]',
        '[{"text": "a", "start": true}]',
        '{"text": ["a"], "answer_start": []}',
        '{"text": ["a"]}',
        '[{"text": "a", "start": 99999999999}]',
    ],
)
def test_what_is_no_list_of_answers_is_refused(cell: str) -> None:
    parse = PART.PAYLOAD[2].parse
    assert parse is not None
    with pytest.raises(ValueError, match=r"^(are|have) "):
        parse(cell)


def examined(tmp_path: Path, name: str, content: str) -> Examination:
    import pyarrow.dataset as ds

    (tmp_path / name).write_text(content)
    settings = IngestSettings()
    file = file_of(tmp_path / name, settings)
    report = ingest([file], PART.PAYLOAD, settings, SplitSettings(), tmp_path, Progress("ingest"))
    rows = ds.dataset(tmp_path / "records.parquet")
    return examine(rows, report.rejected, Rules(PART, ValidateSettings(min_rows=5)))


def squad_of(answers: list[list[dict[str, Any]]]) -> str:
    paragraphs = [
        {
            "context": f"第{number}段：{PASSAGE}",
            "qas": [{"id": f"q{number}", "question": f"谁做了第{number}个？", "answers": given}],
        }
        for number, given in enumerate(answers)
    ]
    return json.dumps({"data": [{"paragraphs": paragraphs}]}, ensure_ascii=False)


def test_a_set_whose_answers_are_all_fake_is_refused_with_a_sentence_that_says_why(tmp_path: Path) -> None:
    fake = [{"text": f"FAKE_ANSWER_{number}", "answer_start": -1} for number in (1, 2, 3)]
    found = examined(tmp_path, "test.json", squad_of([fake] * 40))
    assert found.quarantined_by_rule() == {"ANSWER_FAKE": 40}
    (sentence,) = [finding.sentence() for finding in found.findings if finding.code == "ANSWER_FAKE"]
    assert "40 of 40 rows (100 %): every answer is a placeholder: the set's makers keep the right ones back" in sentence
    assert any("most of them by ANSWER_FAKE (40)" in reason for reason in found.reasons)


def test_a_row_without_its_passage_is_told_which_text_is_empty(tmp_path: Path) -> None:
    rows = [{"question": "谁？", "passage": " ", "answers": []}, {"question": "", "passage": PASSAGE, "answers": []}]
    found = examined(tmp_path, "rows.jsonl", "\n".join(json.dumps(row) for row in rows))
    (empty,) = [finding for finding in found.findings if finding.code == "TEXT_EMPTY"]
    assert empty.count == 2
    assert empty.first is not None
    assert empty.first.endswith("(passage)")


def test_questions_about_one_passage_stand_on_one_side_of_the_split(tmp_path: Path) -> None:
    rows = [
        {"question": f"question {number}", "passage": f"passage {number // 10}", "answers": []} for number in range(200)
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    settings = IngestSettings()
    ingest(
        [file_of(tmp_path / "rows.jsonl", settings)],
        PART.PAYLOAD, settings, SplitSettings(), tmp_path, Progress("ingest"),
    )  # fmt: skip
    import pyarrow.parquet as pq

    sides: dict[str, set[str]] = {}
    for row in pq.read_table(tmp_path / "records.parquet").to_pylist():
        sides.setdefault(row["passage"], set()).add(row["split"])
    assert all(len(of) == 1 for of in sides.values())
    assert set.union(*sides.values()) == set(SPLITS)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    return load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), [*PASSAGE, "谁", "who", "rain", "sun"]))


def answered(rows: pa.Table, tokenizer: TextTokenizer, size: int, fitted: dict[str, Any] | None = None) -> pa.Table:
    """Of a model that is always right."""
    encoding = encoding_of(TASK)
    windows = encoding.encode(rows, tokenizer, size, OPTIONS)
    outputs = perfect_outputs(TASK, windows, encoding.target(rows, windows, [], OPTIONS), 0)
    reading = Reading([], {}, OPTIONS)
    known = ANSWERING.fit(outputs, windows, rows, reading) if fitted is None else fitted
    return ANSWERING.decode(outputs, windows, rows, Reading([], known, OPTIONS))


def test_a_long_passage_has_one_answer_with_its_place_in_the_askers_string(tokenizer: TextTokenizer) -> None:
    passage = "  Rain \n" * 400 + "SUN rain" + " rain" * 400
    place = passage.index("SUN")
    rows = table(("who", passage, [answer("SUN", place)]), ("who", "rain", []))
    answers = answered(rows, tokenizer, 32)
    first, second = ANSWERING.responses(answers, [], False)
    assert (first["text"], first["start"], first["end"]) == ("SUN", place, place + 3)
    assert second["text"] is None and second["start"] is None
    assert ANSWERING.decided(answers) == ["SUN", "(no answer)"]


def test_without_a_question_that_has_no_answer_there_is_always_one(tokenizer: TextTokenizer) -> None:
    rows = table(("who", "rain sun", [answer("sun", 5)]))
    encoding = encoding_of(TASK)
    windows = encoding.encode(rows, tokenizer, 16, OPTIONS)
    outputs = {name: np.zeros((1, 16)) for name in ("start_logits", "end_logits")}
    outputs["start_logits"][0, 0] = 9.0  # the model points at no answer
    fitted = ANSWERING.fit(outputs, windows, rows, Reading([], {}, OPTIONS))
    assert set(fitted) == {"temperature"}
    assert ANSWERING.decode(outputs, windows, rows, Reading([], fitted, OPTIONS))["text"].to_pylist() != [None]


def test_scores_on_request_are_the_best_answers_and_probabilities(tokenizer: TextTokenizer) -> None:
    rows = table(("谁？", PASSAGE, [answer("光荣", 0)]), ("who", "rain", []))
    (first, second) = ANSWERING.responses(answered(rows, tokenizer, 40), [], True)
    assert first["scores"][0] == {"text": "光荣", "start": 0, "end": 2, "score": first["confidence"]}
    assert [one["score"] for one in first["scores"]] == sorted((one["score"] for one in first["scores"]), reverse=True)
    assert sum(one["score"] for one in first["scores"]) == pytest.approx(1.0)
    assert second["scores"][0]["text"] is None


def test_chinese_rows_count_by_characters_and_english_ones_by_words() -> None:
    rows = table(
        ("谁？", PASSAGE, [answer("光荣开发", 0)]), ("who", "the red house", [answer("red house", 4)]), ("who", "x", [])
    )
    answers = pa.table({"text": pa.array(["光荣", "the red", None])})
    counts = ANSWERING.counts(answers, rows, [])
    sums = {key: counts.number[counts.key == number].sum() for number, key in enumerate(counts.keys)}
    assert sums == {"n": 3, "correct": 1, "f1": pytest.approx(2 / 3 + 2 / 3 + 1)}


def test_the_baseline_is_the_sentence_that_shares_most_with_the_question() -> None:
    rows = table(
        ("光荣在哪里？", PASSAGE.replace("，", "。"), [answer("日本", 13)]),
        ("Who lives in Rome?", "Tom sells bread. Anna lives in Rome 2.5 years. It rains.", [answer("Anna", 17)]),
    )
    answers = ANSWERING.baselines(rows, rows, [], 0)
    assert set(answers) == {"sentence"}
    assert answers["sentence"][1]["text"].to_pylist() == ["光荣在日本。", "Anna lives in Rome 2.5 years."]


def test_a_table_for_people_shows_the_passage_near_the_answer() -> None:
    record = {"question": "who", "passage": "x" * 500 + " SUN " + "y" * 500, "answers": [answer("SUN", 501)] * 2}
    shown = ANSWERING.cells(record, {"text": "SUN", "start": 501, "end": 504, "confidence": 0.5})
    assert shown["answer"] == shown["label"] == "SUN"
    assert "SUN" in shown["text"] and len(shown["text"]) < 200
    unanswered = {**record, "answers": []}
    assert (
        ANSWERING.cells(unanswered, {"text": None, "start": None, "end": None, "confidence": 1.0})["label"]
        == "(no answer)"
    )
