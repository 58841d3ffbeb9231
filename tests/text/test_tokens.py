"""Texts to windows: literals of special tokens stay text, what is cut is counted, pairs and batches agree."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny import SPECIAL, tiny_tokenizer
from tunegate.errors import UserError
from tunegate.task import TextTokenizer
from tunegate.text import tokens
from tunegate.text.tokens import load_tokenizer, whole_text_windows

WORDS = ("rain", "sun", "snow", "wind", "cloud", "storm", "warm", "cold")
TEXTS = st.lists(st.sampled_from((*WORDS, "[SEP]", "[CLS]", "[MASK]", "x9", "!")), max_size=12).map(" ".join)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    return load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), WORDS))


def column(*texts: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(texts, pa.string())])


def special(tokenizer: TextTokenizer, name: str) -> int:
    return int(tokenizer.tokenizer.token_to_id(name))


@given(text=TEXTS)
def test_a_special_token_that_somebody_typed_stays_text(tokenizer: TextTokenizer, text: str) -> None:
    """One [CLS] at the start, one [SEP] at the end, and none in between."""
    ids = whole_text_windows(column(text), None, tokenizer, 64).tokens["input_ids"].tolist()
    assert ids[0] == special(tokenizer, "[CLS]")
    assert ids[-1] == special(tokenizer, "[SEP]")
    assert not set(ids[1:-1]) & {special(tokenizer, name) for name in SPECIAL if name != "[UNK]"}


@given(text=TEXTS, limit=st.integers(8, 24))
def test_kept_and_dropped_tokens_make_the_whole_text(tokenizer: TextTokenizer, text: str, limit: int) -> None:
    cut = whole_text_windows(column(text), None, tokenizer, limit)
    whole = whole_text_windows(column(text), None, tokenizer, 512)
    assert int(cut.lengths[0]) + int(cut.dropped[0]) == int(whole.lengths[0])
    assert cut.lengths[0] <= limit
    assert int(whole.dropped[0]) == 0


@given(first=TEXTS, second=TEXTS, limit=st.integers(8, 24))
def test_of_a_pair_the_kept_and_dropped_tokens_make_the_whole(
    tokenizer: TextTokenizer, first: str, second: str, limit: int
) -> None:
    cut = whole_text_windows(column(first), column(second), tokenizer, limit)
    whole = whole_text_windows(column(first), column(second), tokenizer, 512)
    assert int(cut.lengths[0]) + int(cut.dropped[0]) == int(whole.lengths[0])
    types = whole.tokens["token_type_ids"].tolist()
    assert types == sorted(types)
    assert set(types) == {0, 1}


@given(texts=st.lists(TEXTS, min_size=1, max_size=8))
def test_a_text_alone_is_encoded_as_among_others(tokenizer: TextTokenizer, texts: list[str]) -> None:
    together = whole_text_windows(column(*texts), None, tokenizer, 16)
    for number, text in enumerate(texts):
        alone = whole_text_windows(column(text), None, tokenizer, 16)
        assert np.array_equal(together.take(np.array([number])).tokens["input_ids"], alone.tokens["input_ids"])
        assert together.dropped[number] == alone.dropped[0]


def test_the_size_of_a_chunk_changes_nothing(tokenizer: TextTokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [" ".join(WORDS[: 1 + number % 8]) for number in range(50)]
    whole = whole_text_windows(column(*texts), None, tokenizer, 8)
    monkeypatch.setattr(tokens, "CHUNK", 7)
    pieces = whole_text_windows(column(*texts), None, tokenizer, 8)
    assert np.array_equal(whole.tokens["input_ids"], pieces.tokens["input_ids"])
    assert np.array_equal(whole.dropped, pieces.dropped)


def test_rows_without_a_second_text_stand_beside_pairs(tokenizer: TextTokenizer) -> None:
    windows = whole_text_windows(column("rain", "rain"), column("sun", None), tokenizer, 16)
    assert windows.lengths.tolist() == [5, 3]


def test_padding_is_what_the_tokenizer_says(tokenizer: TextTokenizer) -> None:
    windows = whole_text_windows(column("rain", "rain sun snow wind cloud storm warm"), None, tokenizer, 16)
    batch = windows.batch(np.array([0, 1]), tokenizer.pad)
    assert batch["input_ids"].shape == (2, 16)
    assert set(batch["input_ids"][0][batch["attention_mask"][0] == 0].tolist()) == {special(tokenizer, "[PAD]")}


def test_no_rows_make_no_windows(tokenizer: TextTokenizer) -> None:
    windows = whole_text_windows(column(), None, tokenizer, 16)
    assert len(windows) == 0
    assert windows.offsets.tolist() == [0]


def test_an_unknown_letter_is_one_unknown_token(tokenizer: TextTokenizer) -> None:
    assert tokenizer.unknown_id == special(tokenizer, "[UNK]")
    ids = whole_text_windows(column("☃ rain"), None, tokenizer, 16).tokens["input_ids"].tolist()
    assert ids.count(tokenizer.unknown_id) == 1


@pytest.mark.parametrize("content", [None, "", "{}", "not json"])
def test_a_missing_or_damaged_tokenizer_is_a_sentence(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(UserError, match="cannot be read as a tokenizer") as caught:
        load_tokenizer(tmp_path)
    assert "tunegate models add" in caught.value.remedy


@given(st.lists(st.integers(0, 9_000_000), max_size=30), st.integers(1, 10))
def test_portions_are_small_in_rows_and_in_characters(characters: list[int], rows: int) -> None:
    made = list(tokens.portions(np.array(characters, dtype=np.int64), rows))
    assert [number for start, count in made for number in range(start, start + count)] == list(range(len(characters)))
    for start, count in made:
        assert 1 <= count <= rows
        assert count == 1 or sum(characters[start : start + count]) <= tokens.CHUNK_CHARACTERS
