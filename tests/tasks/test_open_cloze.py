"""Blanks filled with words: each asked once, those that one token can say learnt, and the rest counted."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from tests.tasks.perfect import perfect_outputs
from tests.tiny import tiny_tokenizer
from tunegate.task import IGNORED, Reading, TextTokenizer
from tunegate.tasks.open_cloze import answer, encode, record
from tunegate.text.tokens import load_tokenizer

OPTIONS = {"top_words": 5}
WORDS = "fish live in deep water and birds in the air"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    return load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), [WORDS]))


def table(*rows: tuple[str, list[str]]) -> pa.Table:
    return pa.table(
        {
            "text": pa.array([text for text, _ in rows], pa.string()),
            "words": pa.array([words for _, words in rows], pa.list_(pa.string())),
        }
    )


ROWS = table(("fish live in _ .", ["water"]), ("_ live in the [MASK]", ["Birds", "air"]))


def test_each_blank_is_a_mask_and_asks_for_its_word(tokenizer: TextTokenizer) -> None:
    windows = encode.encode(ROWS, tokenizer, 32, OPTIONS)
    mask, number = tokenizer.tokenizer.token_to_id("[MASK]"), tokenizer.tokenizer.token_to_id
    masks = windows.tokens["input_ids"] == mask
    wanted = encode.target(ROWS, windows, [], OPTIONS).tokens["words"]
    assert wanted[masks].tolist() == [number("water"), number("birds"), number("air")]
    assert (wanted[~masks] == IGNORED).all()
    assert not windows.dropped.any()


@pytest.mark.parametrize("word", ["unbelievably", "水"], ids=["several tokens", "unknown"])
def test_a_word_that_one_token_cannot_say_is_not_learnt_and_is_counted(tokenizer: TextTokenizer, word: str) -> None:
    rows = table(("fish live in _ .", [word]), ("_ live in _", ["birds", word]))
    windows = encode.encode(rows, tokenizer, 32, OPTIONS)
    assert windows.dropped.tolist() == [1, 1]
    assert int(windows.positions["owned"].sum()) == 1
    wanted = encode.target(rows, windows, [], OPTIONS).tokens["words"]
    assert (wanted != IGNORED).sum() == 1


def test_long_texts_have_every_blank_asked_once(tokenizer: TextTokenizer) -> None:
    rows = table((" ".join(["fish _ in"] * 30), ["live"] * 30))
    windows = encode.encode(rows, tokenizer, 16, OPTIONS)
    assert windows.lengths.max() <= 16 and len(windows) > 5
    wanted = encode.target(rows, windows, [], OPTIONS).tokens["words"]
    assert (wanted != IGNORED).sum() == 30
    assert answered(rows, tokenizer, 16)["words"].to_pylist()[0] == [["live", "[PAD]"]] * 30


def answered(rows: pa.Table, tokenizer: TextTokenizer, max_length: int = 32) -> pa.Table:
    windows = encode.encode(rows, tokenizer, max_length, OPTIONS)
    outputs = perfect_outputs("open_cloze", windows, encode.target(rows, windows, [], OPTIONS), 0)
    return answer.decode(outputs, windows, rows, replace(Reading([], {}, OPTIONS), tokenizer=tokenizer))


def test_the_service_gives_the_words_and_the_text_with_them(tokenizer: TextTokenizer) -> None:
    answers = answered(ROWS, tokenizer)
    plain, full = answer.responses(answers, [], False), answer.responses(answers, [], True)
    assert plain[1]["words"] == ["birds", "air"]
    assert plain[1]["text"] == "birds live in the air"
    assert "candidates" not in plain[0]
    assert full[0]["candidates"][0][0] == {"word": "water", "probability": pytest.approx(1.0)}
    assert answer.decided(answers) == ["water", "birds | air"]
    assert answer.scores(answers).shape == (3, 2)


def test_the_first_word_and_the_first_five_are_counted() -> None:
    five = ["sea", "Water", "air", "sand", "mud", "ice"]
    answers = answer._answers(["_", "_ _"], [[(five, [0.5] * 6)], [(five, [0.5] * 6), (five, [0.5] * 6)]])
    counts = answer.counts(answers, table(("_", ["water"]), ("_ _", ["SEA", "ice"])), [])
    sums = {key: np.array([counts.number[counts.key == place].sum()]) for place, key in enumerate(counts.keys)}
    assert {key: int(value[0]) for key, value in sums.items()} == {
        "n": 2, "correct": 0, "blanks": 3, "right": 1, "right in five": 2,
    }  # fmt: skip
    assert [metric.value(sums)[0] for metric in answer.METRICS] == pytest.approx([1 / 3, 2 / 3])


def test_the_baseline_says_the_most_frequent_words() -> None:
    train = table(("_", ["water"]), ("_", ["Water"]), ("_", ["air"]))
    (_, answers) = answer.baselines(train, table(("_ _", ["water", "air"])), [], 0)["frequent"]
    assert answers["words"].to_pylist() == [[["water", "air", "", "", ""]] * 2]


@pytest.mark.parametrize("text", ["no blank", "snake_case", " ", "_ " * 51])
def test_the_service_refuses_a_text_without_blanks_or_with_too_many(text: str) -> None:
    with pytest.raises(ValidationError):
        record.Record.model_validate({"text": text})


def test_a_row_for_people_shows_the_words() -> None:
    shown = answer.cells({"text": "a _", "words": ["sea"]}, {"words": [["sky", "sea"]], "confidence": 0.5})
    assert shown == {"text": "a _", "answer": "sky", "confidence": "0.50", "label": "sea"}
