"""Pre-training: examples of documents, masks that change with the epoch, and what answers are worth."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.tiny import tiny_tokenizer
from tunegate.errors import UserError
from tunegate.records import record_schema
from tunegate.task import IGNORED, Reading, TextTokenizer
from tunegate.tasks.pretraining import answer, encode
from tunegate.tasks.pretraining.record import PAYLOAD, Options, Record, examples_from
from tunegate.text.masking import hidden_words
from tunegate.text.tokens import load_tokenizer

SENTENCES = ["It rains in the morning.", "The road is wet.", "A cat sleeps.", "Nobody comes by.", "The sun sets late."]
DOCUMENTS = [" ".join(SENTENCES[start:] + SENTENCES[:start]).replace("cat", f"cat{start}") for start in range(4)]


def options(**given: Any) -> dict[str, Any]:
    return Options(**given).model_dump(mode="json")


def nothing_to_read(name: str) -> str:
    raise AssertionError(name)


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    given = [{"source": "x.txt", "source_line": 1, "weight": 1.0, "origin": "raw", **row} for row in rows]
    return pa.Table.from_pylist(given, schema=record_schema(PAYLOAD))


def examples(split: str = "train", documents: list[str] = DOCUMENTS, **given: Any) -> pa.Table:
    rows = [{"id": f"d{number}", "split": split, "text": text} for number, text in enumerate(documents)]
    return examples_from(table_of(rows), options(**given), nothing_to_read)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    words = [word.strip(".") for sentence in SENTENCES for word in sentence.split()]
    return load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), words))


def test_documents_become_stretches_whose_ids_and_groups_name_them() -> None:
    made = examples(words=10)
    assert max(len(text.replace(".", " .").split()) for text in made["text"].to_pylist()) <= 10
    of_first = pc.equal(made["group"], "d0")
    assert " ".join(made.filter(of_first)["text"].to_pylist()) == DOCUMENTS[0]
    assert len(set(made["id"].to_pylist())) == len(made)
    assert made["text_b"].null_count == made["order"].null_count == len(made)


def test_training_rows_are_pairs_and_what_judges_is_pairs_and_stretches() -> None:
    learnt, judged = (examples(split, words=12, sentences="nsp") for split in ("train", "test"))
    assert learnt["text_b"].null_count < len(learnt) / 2
    alone = judged.filter(judged["text_b"].is_null())
    assert alone["text"].to_pylist() == examples("test", words=12)["text"].to_pylist()
    pairs = judged.filter(judged["text_b"].is_valid())
    assert set(pairs["order"].to_pylist()) <= {0, 1}
    assert len(pairs)


def test_a_random_next_sentence_needs_a_second_document_and_says_so() -> None:
    with pytest.raises(UserError, match="the test rows hold one document alone"):
        examples("test", DOCUMENTS[:1], sentences="nsp")


def test_chinese_words_come_from_the_persons_dictionary() -> None:
    rows = table_of([{"id": "a", "split": "train", "text": "今天下雨"}])
    wanted = options(chinese_words="dictionary", dictionary="words.txt")
    made = examples_from(rows, wanted, {"words.txt": "今天 5\n下雨 3\n"}.__getitem__)
    assert made["word_starts"].to_pylist() == [[0, 2]]
    with pytest.raises(ValueError, match="together"):
        options(chinese_words="dictionary")


def test_each_epoch_hides_other_words_and_a_windows_own_tokens_decide(tokenizer: TextTokenizer) -> None:
    made = examples(words=40)
    windows = encode.encode(made, tokenizer, 64, options())
    first, again, other = (encode.refresh(windows, seed, tokenizer, options()) for seed in (1, 1, 2))
    assert np.array_equal(first[0].tokens["input_ids"], again[0].tokens["input_ids"])
    assert not np.array_equal(first[1]["words"], other[1]["words"])
    some = np.array([2, 0])
    alone = encode.refresh(windows.take(some), 1, tokenizer, options())[0]
    assert np.array_equal(alone.tokens["input_ids"], first[0].take(some).tokens["input_ids"])
    whole = [token for text in made["text"].to_pylist() for token in tokenizer.tokenizer.encode(text).ids]
    words = first[1]["words"]
    assert np.where(words == IGNORED, first[0].tokens["input_ids"], words).tolist() == whole


def test_the_loss_is_that_of_the_hidden_words_and_unknown_words_cost_as_much_as_any(tokenizer: TextTokenizer) -> None:
    text = "the road is wet 💡 in the morning nobody comes by the cat sleeps late"
    count, size = len(hidden_words(text)), tokenizer.vocabulary_size
    windows = encode.encode(pa.table({"text": [text]}), tokenizer, 64, options())
    shape = (1, int(windows.lengths[0]))
    outputs = {
        "top_words": np.full((*shape, 2), 7.0),
        "top_scores": np.log(np.full((*shape, 2), 0.5)),
        "asked_scores": np.full(shape, math.log(0.25)),
    }
    reading = Reading([], {}, options(), tokenizer)
    answers = answer.decode(outputs, windows, pa.table({"text": [text]}), reading)
    unknown = sum(text[start:end] == "💡" for start, end in hidden_words(text))
    pieces = int((windows.tokens["asked"] > 0).sum())
    assert sum(answers["losses"][0].as_py()) == pytest.approx(pieces * math.log(4) + unknown * math.log(size))
    (said,) = answer.responses(answers, [], with_scores=False)
    assert said["hidden"] == count
    assert said["masks"] == []


def test_the_baseline_knows_how_often_words_are(tokenizer: TextTokenizer) -> None:
    train = pa.table({"text": ["the the the cat", "the dog"], "text_b": pa.array([None, "a cat"])})
    test = pa.table({"text": ["the"], "text_b": pa.array([None], pa.string())})
    ((_, answers),) = answer.baselines(train, test, [], 0).values()
    words, kinds = 8, 4
    assert answers["losses"].to_pylist() == [[pytest.approx(-math.log((4 + 1) / (words + kinds + 1)))]]
    assert answers["hits"].to_pylist() == [[True]]


def test_order_right_and_wrong_are_counted_by_the_convention_that_0_follows() -> None:
    rows = [{"follows": share, "losses": [], "hits": []} for share in (0.9, 0.2, 0.9)]
    answers = pa.Table.from_pylist([{name: row.get(name, []) for name in answer.SCHEMA.names} | row for row in (
        {**row, "margin": 0.0, "confidence": 0.5} for row in rows
    )], schema=answer.SCHEMA)  # fmt: skip
    records = pa.table({"order": pa.array([0, 1, 1], pa.int8())})
    counts = answer.counts(answers, records, [])
    sums = {key: np.array([counts.number[counts.key == place].sum()]) for place, key in enumerate(counts.keys)}
    assert sums["pairs"] == 3
    assert sums["pairs right"] == sums["correct"] == 2


def test_a_question_is_a_text_or_a_pair() -> None:
    assert Record.model_validate({"text": "the [MASK]"})
    with pytest.raises(ValueError, match="white space"):
        Record.model_validate({"text": "a", "text_b": " "})
