"""What is dependency parsing's own: trees that are none, long sentences, scores by the definition, answers in words."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.tasks.perfect import perfect_outputs, plain_texts
from tests.text.test_attachment import scores_by_definition
from tests.tiny import tiny_tokenizer
from tunegate.asked import Mistake, check_question
from tunegate.task import Reading, TextTokenizer
from tunegate.tasks import answering_of, encoding_of, examples_of, options_of, record_of
from tunegate.text.spanning import is_tree
from tunegate.text.tokens import load_tokenizer

TASK = "dependency_parsing"
PART, ENCODING, ANSWERING = record_of(TASK), encoding_of(TASK), answering_of(TASK)
OPTIONS = options_of(TASK)().model_dump(mode="json")


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table(
        {column.name: pa.array([row.get(column.name) for row in rows], column.type) for column in PART.PAYLOAD}
    )


def tree(heads: list[int], relations: list[str] | None = None) -> dict[str, Any]:
    words = [f"w{number}" for number in range(len(heads))]
    return {"tokens": words, "heads": heads, "relations": relations or ["dep"] * len(heads)}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    return load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), plain_texts(examples_of(PART))))


@pytest.mark.parametrize(
    ("row", "facts"),
    [
        (tree([2, 0, 2]), set()),
        (tree([2, 0]) | {"heads": [2]}, {"tree_len", "head_range", "tree_root"}),
        (tree([2, 0]) | {"relations": ["dep"]}, {"tree_len"}),
        (tree([2, 0, 9]), {"head_range"}),
        (tree([-1, 0]), {"head_range"}),
        (tree([0, 0]), {"tree_root"}),
        (tree([2, 1]), {"tree_root", "tree_cycle"}),
        (tree([2, 1, 0]), {"tree_cycle"}),
        (tree([1, 0]), {"tree_cycle"}),
        (tree([2, 0], ["nsubj", "_"]), {"relation_empty"}),
        (tree([2, 0], ["nsubj", " "]), {"relation_empty"}),
        (tree([2, 0]) | {"starts": [3, 1]}, {"span_places"}),
        (tree([2, 0]) | {"tokens": ["a", " "]}, {"word_empty"}),
    ],
)
def test_a_row_that_is_no_tree_is_named_by_what_is_wrong(row: dict[str, Any], facts: set[str]) -> None:
    assert {name for name, values in PART.facts(table([row])).items() if values[0]} == facts
    assert {check.fact for check in PART.CHECKS if check.remedy and check.action == "quarantine"} >= facts


@pytest.mark.parametrize("cell", ["[2, 0]", '["2", "0"]', "2 0"])
def test_heads_are_numbers_however_they_are_written(cell: str) -> None:
    parse = next(column.parse for column in PART.PAYLOAD if column.name == "heads")
    assert parse is not None and parse(cell) == [2, 0]


@pytest.mark.parametrize(
    "cell", ['["_", "0"]', "[1.5]", "[true]", "[99999999999]", '{"a": 1}', "2,0", '["1_0"]', "[null]"]
)
def test_what_is_no_number_is_rejected_with_a_reason(cell: str) -> None:
    parse = next(column.parse for column in PART.PAYLOAD if column.name == "heads")
    assert parse is not None
    with pytest.raises(ValueError, match="are no list of whole numbers"):
        parse(cell)


def test_a_text_that_is_no_sentence_is_refused_with_a_sentence_in_files_and_by_the_service() -> None:
    parse = next(column.parse for column in PART.PAYLOAD if column.name == "tokens")
    assert parse is not None and len(parse("a " * 1000)) == 1000
    with pytest.raises(ValueError, match="hold 1,001 words: no sentence"):
        parse("a " * 1001)
    asked = check_question({"tokens": ["a"] * 1001}, PART.Record, {})
    assert isinstance(asked, Mistake) and asked.message == (
        "A sentence has at most 1000 words; send each sentence alone."
    )
    with pytest.raises(ValidationError):
        PART.Record.model_validate({"tokens": ["a"], "starts": [2**40]})


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_las_and_uas_over_sentences_are_those_of_the_conll_2018_definition(data: st.DataObject) -> None:
    """Words of all sentences, one after the other, as the evaluation script counts a file."""
    relation = st.sampled_from(["nsubj", "nsubj:pass", "punct", "root", "obl:tmod"])
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    gold, found = (
        [[(data.draw(st.integers(0, size)), data.draw(relation)) for _ in range(size)] for size in sizes]
        for _ in range(2)
    )
    rows, answers = (
        table([tree([head for head, _ in words], [name for _, name in words]) for words in each])
        for each in (gold, found)
    )
    labels = PART.labels(rows)
    counts = ANSWERING.counts(answers, rows, labels)
    sums = {key: np.array([counts.number[counts.key == place].sum()]) for place, key in enumerate(counts.keys)}
    values = {metric.name: float(metric.value(sums)[0]) for metric in ANSWERING.METRICS}
    offset = np.cumsum([0, *sizes])
    uas, las = scores_by_definition(
        *(
            [
                (head and int(head + start), name)
                for words, start in zip(each, offset, strict=False)
                for head, name in words
            ]
            for each in (gold, found)
        )
    )
    assert values == pytest.approx({"las": las, "uas": uas})
    assert sums["n"][0] == len(rows)


@settings(deadline=None, max_examples=20)
@given(size=st.integers(1, 90), seed=st.integers(0, 99))
def test_a_sentence_of_several_windows_is_parsed_as_one_and_every_word_has_one_answer(
    tokenizer: TextTokenizer, size: int, seed: int
) -> None:
    """Heads stand up to two words away, as most do."""
    random = np.random.default_rng(seed)
    heads = [0, *(int(random.integers(max(1, place - 2), place)) for place in range(2, size + 1))]
    words = random.choice(["dog", "letter", "reads"], size).tolist()
    rows = table([{"tokens": words, "heads": heads, "relations": random.choice(["obj", "det"], size).tolist()}])
    labels = PART.labels(rows)
    windows = ENCODING.encode(rows, tokenizer, 24, OPTIONS)
    outputs = perfect_outputs(TASK, windows, ENCODING.target(rows, windows, labels, OPTIONS), len(labels))
    reading = Reading(labels, {}, OPTIONS)
    fitted = ANSWERING.fit(outputs, windows, rows, reading)
    answers = ANSWERING.decode(outputs, windows, rows, Reading(labels, fitted, OPTIONS))
    assert answers["heads"].to_pylist() == [heads]
    assert answers["relations"].to_pylist() == rows["relations"].to_pylist()


def test_a_head_in_another_window_asks_nothing_while_learning(tokenizer: TextTokenizer) -> None:
    rows = table([{"tokens": ["dog"] * 40, "heads": [0, *[1] * 39], "relations": ["root", *["dep"] * 39]}])
    windows = ENCODING.encode(rows, tokenizer, 16, OPTIONS)
    said = ENCODING.target(rows, windows, ["dep", "root"], OPTIONS).tokens
    asked = said["heads"] != -100
    assert len(windows) > 3 and 1 < asked.sum() < 40
    assert np.array_equal(asked, said["relations"] != -100)
    first_window = np.arange(len(asked)) < windows.offsets[1]
    assert not asked[~first_window].any()


def alike(length: int) -> dict[str, Any]:
    """What a model says of one window that knows nothing."""
    outputs: dict[str, Any] = {name: np.empty(1, object) for name in ("arcs", "relations", "relation_scores")}
    for array in outputs.values():
        array[0] = np.zeros((length, length))
    return outputs


def test_words_without_any_token_are_answered_too(tokenizer: TextTokenizer) -> None:
    rows = table([{"tokens": ["dog", "\u200b", "sleeps"]}])
    windows = ENCODING.encode(rows, tokenizer, 16, OPTIONS)
    outputs = alike(int(windows.lengths[0]))
    answers = ANSWERING.decode(outputs, windows, rows, Reading(["dep"], {}, OPTIONS))
    assert is_tree(np.array(answers["heads"][0].as_py()))
    (said,) = ANSWERING.responses(answers, ["dep"], True)
    assert said["words"][1]["confidence"] == 0.0


def test_places_are_those_of_the_persons_own_text(tokenizer: TextTokenizer) -> None:
    text = "  The dog, 好 sleeps!"
    asked = PART.Record.model_validate({"text": text}).model_dump()
    rows = table([asked])
    windows = ENCODING.encode(rows, tokenizer, 32, OPTIONS)
    length = int(windows.lengths[0])
    outputs = alike(length)
    answers = ANSWERING.decode(outputs, windows, rows, Reading(["dep"], {}, OPTIONS))
    (said,) = ANSWERING.responses(answers, ["dep"], False)
    assert [text[word["start"] : word["end"]] for word in said["words"]] == ["The", "dog", ",", "好", "sleeps", "!"]
    assert all("scores" not in word for word in said["words"])
    assert PART.Answer.model_validate(said)


def test_baselines_are_trees_where_they_say_so_and_learn_from_counts() -> None:
    rows = examples_of(PART)
    found = ANSWERING.baselines(rows, rows, PART.labels(rows), 0)
    assert all(is_tree(np.array(heads)) for heads in found["lookup"][1]["heads"].to_pylist())
    assert found["neighbour"][1]["heads"].to_pylist()[2] == [0, 1, 2]
    assert found["neighbour"][1]["relations"].to_pylist()[2] == ["det", "nsubj", "root"]
    scored = {name: float(las(answers)) for name, (_, answers) in found.items()}
    assert scored["lookup"] > scored["neighbour"]
    assert scored["lookup"] > scored["majority"] > 0


def test_the_usual_tree_of_words_that_all_hang_on_the_root_is_one() -> None:
    rows = table([tree([0], ["root"]), tree([0], ["root"])])
    found = ANSWERING.baselines(rows, rows, ["root"], 0)
    assert all(answers["heads"].to_pylist() == [[0], [0]] for _, answers in found.values())


def las(answers: pa.Table) -> Any:
    rows = examples_of(PART)
    counts = ANSWERING.counts(answers, rows, PART.labels(rows))
    sums = {key: np.array([counts.number[counts.key == place].sum()]) for place, key in enumerate(counts.keys)}
    return ANSWERING.METRICS[0].value(sums)[0]


def test_a_tree_is_told_in_words() -> None:
    record = {"tokens": ["Anna", "sleeps"], "heads": [2, 0], "relations": ["nsubj", "root"]}
    cells = ANSWERING.cells(record, {**record, "heads": [0, 1], "confidence": 0.5})
    assert cells["label"] == "Anna: nsubj of sleeps; sleeps: root"
    assert cells["answer"] == "Anna: nsubj; sleeps: root of Anna"
