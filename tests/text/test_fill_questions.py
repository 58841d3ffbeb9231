"""Texts with words to fill in, as windows: what is hidden, what is asked, and where."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.tiny import tiny_tokenizer
from tunegate.errors import UserError
from tunegate.task import TextTokenizer
from tunegate.text.fill_questions import NOT_HIDDEN, fill_windows, mask_id
from tunegate.text.masking import NO_WORD, hidden_words
from tunegate.text.tokens import load_tokenizer
from tunegate.windows import Windows

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "and",
    "the",
    "dog",
    "ran",
    "to",
    "its",
    "house",
    "when",
    "rain",
    "came",
    "down",
    "hard",
]


def word_piece(folder: Path) -> TextTokenizer:
    return load_tokenizer(tiny_tokenizer(folder, WORDS))


def sentence_piece(folder: Path) -> TextTokenizer:
    """Unigram pieces behind Metaspace, as in ALBERT and XLM-R: some words have pieces, some share one."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
    from tokenizers.models import Unigram

    letters = sorted({letter for word in WORDS for letter in word} | {"今", "天", "雨"})
    pieces = ["▁", "▁the", "▁cat", "▁do", "▁hou", "▁rain", "▁down", "se", "今天", *letters]
    specials = ["<unk>", "[PAD]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(Unigram([(piece, -float(len(piece) < 2)) for piece in [*specials, *pieces]], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(specials)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return load_tokenizer(folder)


@pytest.fixture(scope="module", params=[word_piece, sentence_piece])
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    make: Callable[[Path], TextTokenizer] = request.param
    return make(tmp_path_factory.mktemp("tokenizer"))


def asked(texts: list[str], tokenizer: TextTokenizer, seconds: list[str] | None = None, length: int = 64) -> Windows:
    columns = {"text": texts} | ({"text_b": seconds} if seconds else {})
    return fill_windows(pa.table(columns), tokenizer, length, by_token=False)


def restored(windows: Windows) -> NDArray[np.int32]:
    hidden = windows.positions["hidden"] != NOT_HIDDEN
    return np.where(hidden, windows.tokens["asked"] - 1, windows.tokens["input_ids"])


texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=60).map(" ".join)


@given(text=texts)
@settings(max_examples=40, deadline=None)
def test_hidden_words_are_hidden_whole_and_nothing_of_the_text_is_lost(text: str, tokenizer: TextTokenizer) -> None:
    windows = asked([text], tokenizer, length=512)
    assert restored(windows).tolist() == tokenizer.tokenizer.encode(text).ids
    hidden, shown = windows.positions["hidden"], windows.tokens["input_ids"]
    assert ((shown == mask_id(tokenizer)) == (hidden != NOT_HIDDEN)).all()
    assert ((windows.tokens["asked"] > 0) == (hidden != NOT_HIDDEN)).all()
    assert set(hidden[hidden != NOT_HIDDEN].tolist()) == set(range(len(hidden_words(text))))
    word = windows.positions["word"]
    assert all(len(set(hidden[word == number].tolist())) == 1 for number in set(word.tolist()) - {NO_WORD})


@given(text=texts, length=st.integers(8, 24))
@settings(max_examples=40, deadline=None)
def test_each_hidden_token_of_a_long_text_is_asked_in_one_window(
    text: str, length: int, tokenizer: TextTokenizer
) -> None:
    whole, cut = asked([text], tokenizer, length=512), asked([text], tokenizer, length=length)
    assert cut.lengths.max() <= length
    assert cut.dropped.sum() == 0
    in_all = [of.tokens["asked"][of.tokens["asked"] > 0].tolist() for of in (whole, cut)]
    assert in_all[0] == in_all[1]
    ids = tokenizer.tokenizer.encode(text).ids
    for window in range(len(cut)):  # each shows a stretch of the text, no hidden word of another window's left hidden
        part = restored(cut.take(np.array([window]))).tolist()[1:-1]
        assert mask_id(tokenizer) not in part
        assert any(ids[start : start + len(part)] == part for start in range(len(ids)))


def test_a_persons_masks_are_asked_and_nothing_else(tokenizer: TextTokenizer) -> None:
    windows = asked(["the [MASK] sat on the [MASK]"], tokenizer)
    masks = windows.tokens["input_ids"] == mask_id(tokenizer)
    assert masks.sum() == 2
    assert windows.tokens["asked"].tolist() == masks.astype(int).tolist()
    assert (windows.positions["hidden"] == NOT_HIDDEN).all()
    plain = tokenizer.tokenizer.encode("the sat on the").ids
    assert windows.tokens["input_ids"][~masks].tolist() == plain


def test_nothing_of_a_pair_is_hidden_and_the_longer_text_is_cut(tokenizer: TextTokenizer) -> None:
    windows = asked(["the cat sat"], tokenizer, ["the dog ran"])
    assert windows.tokens["input_ids"].tolist() == tokenizer.tokenizer.encode("the cat sat", "the dog ran").ids
    assert (
        windows.tokens["token_type_ids"].tolist() == tokenizer.tokenizer.encode("the cat sat", "the dog ran").type_ids
    )
    assert not windows.tokens["asked"].any()
    long = asked([" ".join(WORDS)], tokenizer, ["the cat"], length=12)
    assert long.lengths.tolist() == [12]
    assert long.dropped[0] > 0


def test_words_that_a_person_marks_are_those_that_are_hidden_together(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(tiny_tokenizer(tmp_path, ["今", "天", "下", "雨"]))
    rows = pa.table({"text": ["今天下雨"], "word_starts": pa.array([[0, 2]], pa.list_(pa.int32()))})
    words = fill_windows(rows, tokenizer, 16, by_token=False).positions["word"]
    assert words.tolist() == [NO_WORD, 0, 0, 1, 1, NO_WORD]
    assert fill_windows(rows, tokenizer, 16, by_token=True).positions["word"].tolist() == [NO_WORD, 0, 1, 2, 3, NO_WORD]


def test_a_token_may_stand_for_two_hidden_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunegate.text.fill_questions.hidden_words", lambda text: [(0, 1), (1, 2)])
    windows = asked(["今天雨"], sentence_piece(tmp_path))
    assert windows.positions["sharing"].max() == 2
    assert windows.positions["hidden"][windows.tokens["asked"] > 0].tolist()[-1] == 0


def test_a_word_that_the_tokenizer_does_not_know_is_not_asked(tmp_path: Path) -> None:
    windows = asked(["💡"], word_piece(tmp_path))
    assert not windows.tokens["asked"].any()


def test_a_tokenizer_without_a_mask_is_refused(tmp_path: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    Tokenizer(WordLevel({"a": 0, "<unk>": 1}, unk_token="<unk>")).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(UserError, match=r"no \[MASK\]"):
        mask_id(load_tokenizer(tmp_path))


def test_text_that_goes_on_behind_a_mask_begins_no_word(tmp_path: Path) -> None:
    """Running Chinese has no mark of a word's beginning in its middle."""
    tokenizer = sentence_piece(tmp_path)
    ids = asked(["今[MASK]雨 [MASK] the"], tokenizer).tokens["input_ids"].tolist()
    tokens = [tokenizer.tokenizer.id_to_token(number) for number in ids]
    assert tokens == ["[CLS]", "▁", "今", "[MASK]", "雨", "[MASK]", "▁the", "[SEP]"]
