"""Vocabularies of own texts: nothing seen is unknown, nothing is lost, the size holds, and chance has no part in it."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.errors import UserError
from tunegate.new_vocabulary.making import as_read
from tunegate.task import TextTokenizer
from tunegate.text.vocabularies import KINDS, vocabulary_of
from tunegate.text.vocabularies.measuring import measured
from tunegate.vocabulary_settings import VocabularySettings

TEXTS = [
    "The weather is fine today, and the sky is clear.",
    "Whether the weather is cold or whether the weather is hot, we weather the weather.",
    "Café crème: 2,50 € in Zürich (12 October 2018)!",
    "今天天气很好，我们去公园。今天我们不上班。",
    "我们的 GPU 有 80GB 显存。",
    "A rainy day follows a rainy night; rainfall again tomorrow.",
]
SIGNS = sorted({sign for text in TEXTS for sign in text.lower()} - {" "})
OWN = st.lists(st.text(st.sampled_from(SIGNS), min_size=1, max_size=8), max_size=6).map(" ".join)


def made(kind: str, texts: Iterable[str] = TEXTS, **chosen: object) -> TextTokenizer:
    every = list(texts)
    chosen = {"size": 200, "strip_accents": False, **chosen}
    return as_read(vocabulary_of(lambda: every, VocabularySettings.model_validate({"kind": kind, **chosen})))


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> TextTokenizer:
    return made(request.param)


@settings(max_examples=60, deadline=None)
@given(text=OWN)
def test_of_known_characters_nothing_is_unknown_and_nothing_is_lost(tokenizer: TextTokenizer, text: str) -> None:
    ids = tokenizer.tokenizer.encode(text).ids
    assert tokenizer.unknown_id not in ids
    assert squeezed(tokenizer.tokenizer.decode(ids)) == squeezed(text.lower())


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_texts_give_the_same_bytes(kind: str) -> None:
    """Hash tables have another order each time that they are made."""
    first, again = (made(kind).tokenizer.to_str() for _ in range(2))
    assert first == again


@pytest.mark.parametrize(("kind", "size"), [("wordpiece", 120), ("wordpiece", 140), ("unigram", 90), ("unigram", 104)])
def test_the_size_holds(kind: str, size: int) -> None:
    vocabulary = made(kind, TEXTS * 2, size=size).tokenizer.get_vocab(with_added_tokens=True)
    assert len(vocabulary) == size
    assert sorted(vocabulary.values()) == list(range(size))


@pytest.mark.parametrize("kind", KINDS)
def test_a_special_token_that_somebody_typed_is_text(kind: str) -> None:
    tokenizer = made(kind, [*TEXTS, "[SEP] [CLS]x [MASK] <unk> <pad>"] * 3, lower=False)
    special = set(tokenizer.tokenizer.get_added_tokens_decoder())
    for text in ("[SEP]", "[MASK] the", "a[CLS]b", "<unk>", "<pad>y"):
        assert not special & set(tokenizer.tokenizer.encode(text, add_special_tokens=False).ids)


@pytest.mark.parametrize("kind", KINDS)
def test_characters_that_do_not_fit_are_named_with_both_ways_out(kind: str) -> None:
    with pytest.raises(UserError, match="different characters") as caught:
        made(kind, size=40)
    assert "Raise size" in caught.value.remedy and "coverage" in caught.value.remedy
    small = made(kind, size=100, coverage=0.7)
    assert small.vocabulary_size <= 100
    assert measured(small, TEXTS).coverage < 1


@pytest.mark.parametrize("kind", KINDS)
def test_texts_without_a_character_are_no_texts(kind: str) -> None:
    with pytest.raises(UserError, match="no text to make a vocabulary of"):
        made(kind, [" ", ""])


@pytest.mark.parametrize(
    ("chosen", "text", "read"),
    [
        ({}, "Today", "today"),
        ({"lower": False}, "The", "The"),
        ({"strip_accents": True}, "café", "cafe"),
        ({"nfkc": True}, "ｇｐｕ", "gpu"),
        ({"chinese": "characters"}, "今天", "今 天"),
        ({"chinese": "pieces"}, "今天", "今天"),
    ],
)
@pytest.mark.parametrize("kind", ["wordpiece", "unigram"])
def test_what_is_done_to_texts_is_as_chosen(kind: str, chosen: dict[str, object], text: str, read: str) -> None:
    tokenizer = made(kind, **chosen).tokenizer
    pieces = [piece.strip("▁#") for piece in tokenizer.encode(text, add_special_tokens=False).tokens]
    if "chinese" in chosen:
        assert [piece for piece in pieces if piece] == read.split()
    else:
        assert "".join(pieces) == read


def test_chinese_stands_alone_by_default_but_for_unigram() -> None:
    assert VocabularySettings(kind="wordpiece").chinese_alone
    assert not VocabularySettings(kind="unigram").chinese_alone
    with pytest.raises(ValueError, match="every token is one character"):
        VocabularySettings(kind="characters", chinese="pieces")


def test_two_texts_stand_in_one_window_with_types_of_their_own(tokenizer: TextTokenizer) -> None:
    encoding = tokenizer.tokenizer.encode("the sky", "is clear")
    marks = [tokenizer.tokenizer.id_to_token(number) for number in encoding.ids]
    assert (marks[0], marks[-1], marks.count("[SEP]")) == ("[CLS]", "[SEP]", 2)
    assert encoding.type_ids[0] == 0 and encoding.type_ids[-1] == 1


def test_measures_are_those_of_counting_by_hand() -> None:
    def plain(text: str) -> list[str]:
        return tokenizer.tokenizer.encode(text, add_special_tokens=False).tokens

    tokenizer = made("wordpiece")
    found = measured(tokenizer, ["the weather ☃ 今天", "whether"])
    assert plain("the weather ☃ 今天") == ["the", "weather", "[UNK]", "今", "天"]
    assert found.tokens_per_text == (5 + len(plain("whether"))) / 2
    assert found.unknown_rate == 1 / (5 + len(plain("whether")))
    assert found.coverage == pytest.approx(1 - 1 / 20)
    assert found.fertility == (5 + len(plain("whether"))) / 6
    assert found.whole_words == (4 + (len(plain("whether")) == 1)) / 6


Ways = Callable[[str], list[list[str]]]


def ways(word: str, pieces: dict[str, float]) -> list[list[str]]:
    if not word:
        return [[]]
    return [[word[:n], *rest] for n in range(1, len(word) + 1) if word[:n] in pieces for rest in ways(word[n:], pieces)]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_lattice_sums_over_all_ways_to_cut_and_finds_the_best(data: st.DataObject) -> None:
    from tunegate.text.vocabularies.lattice import Lattice

    words = data.draw(st.lists(st.text("ab", min_size=1, max_size=6), min_size=1, max_size=5, unique=True))
    longer = data.draw(st.lists(st.text("ab", min_size=2, max_size=4), max_size=6, unique=True))
    names = ["a", "b", *longer]
    scores = np.array([-data.draw(st.floats(0.1, 5)) for _ in names])
    counts = np.array([float(data.draw(st.integers(1, 9))) for _ in words])
    pieces = {name: number for number, name in enumerate(names)}
    lattice = Lattice.of(words, pieces, 4)
    expected = np.zeros(len(names))
    for word, count in zip(words, counts, strict=True):
        every = ways(word, dict.fromkeys(names, 0.0))
        chances = np.exp([sum(scores[pieces[part]] for part in way) for way in every])
        for way, chance in zip(every, chances / chances.sum(), strict=True):
            for part in way:
                expected[pieces[part]] += chance * count
    np.testing.assert_allclose(lattice.expected(scores, counts), expected, atol=1e-9)
    found, owner = lattice.best(scores)
    for number, word in enumerate(words):
        best = max(sum(scores[pieces[part]] for part in way) for way in ways(word, dict.fromkeys(names, 0.0)))
        assert scores[found[owner == number]].sum() == pytest.approx(best)
        assert "".join(names[piece] for piece in found[owner == number][::-1]) == word


@given(st.dictionaries(st.text("abc", min_size=1, max_size=9), st.integers(1, 5), min_size=1, max_size=6))
def test_seeds_are_the_strings_that_come_again_with_their_weight(words: dict[str, int]) -> None:
    from tunegate.text.vocabularies.seeds import seed_pieces

    count: dict[str, int] = {}
    for word, number in words.items():
        for start in range(len(word)):
            for end in range(start + 1, len(word) + 1):
                count[word[start:end]] = count.get(word[start:end], 0) + number
    found = seed_pieces(words, 1000, ("ab",))
    assert all(found[piece] == count[piece] * len(piece) for piece in found)
    assert {piece for piece in count if len(piece) == 1} <= set(found)
    always_longer = {p for p, n in count.items() if any(count.get(p + sign, 0) == n for sign in "abc")}
    again = {piece for piece, number in count.items() if number > 1 and len(piece) > 1}
    assert {piece for piece in found if len(piece) > 1} == again - always_longer - {"ab"}
