"""Pairs and stretches of documents."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.text.sentence_pairs import IN_ORDER, OUT_OF_ORDER, Kind, Pair, Sentence, pairs, strangers, stretches
from tunegate.text.words import split_words

documents_of_words = st.lists(
    st.lists(st.integers(1, 12), min_size=1, max_size=8), min_size=2, max_size=5
)  # documents of sentences of so many words
kinds = st.sampled_from(["nsp", "sop"])


def made(shape: list[list[int]]) -> list[list[Sentence]]:
    """Each word says where it stands: document, sentence, word."""
    return [
        [
            Sentence.of(" ".join(f"d{document}s{number}w{word}" for word in range(words)))
            for number, words in enumerate(sentences)
        ]
        for document, sentences in enumerate(shape)
    ]


def place(word: str) -> tuple[int, int, int]:
    document, rest = word[1:].split("s")
    sentence, number = rest.split("w")
    return int(document), int(sentence), int(number)


def places(text: str) -> list[tuple[int, int, int]]:
    return [place(word) for word in text.split()]


def all_pairs(shape: list[list[int]], size: int, kind: Kind, seed: int = 0) -> list[tuple[int, Pair]]:
    documents = made(shape)
    others = strangers(documents)
    return [
        (number, pair)
        for number in range(len(shape))
        for pair in pairs(documents, number, size, kind, seed, others=others)
    ]


@given(documents_of_words, st.integers(2, 30), kinds, st.integers(0, 9))
@settings(max_examples=150, deadline=None)
def test_pairs_fit_are_never_empty_and_tell_the_truth(shape: list[list[int]], size: int, kind: Kind, seed: int) -> None:
    for document, pair in all_pairs(shape, size, kind, seed):
        first = places(pair.first)
        assert first
        assert first == sorted(first)  # a stretch of one document, in its order
        assert {own for own, _, _ in first} == {document} or pair.order == OUT_OF_ORDER
        if pair.second is None:
            assert pair.order is None
            assert len(first) <= size
            continue
        second = places(pair.second)
        assert second
        assert second == sorted(second)
        assert len(first) + len(second) <= size
        if pair.order == IN_ORDER:
            assert {own for own, _, _ in second} == {document}
            assert first[-1] < second[0]
        elif kind == "sop":
            assert {own for own, _, _ in (*first, *second)} == {document}
            assert second[-1] < first[0]
        else:
            assert document not in {own for own, _, _ in second}


def test_half_of_the_pairs_are_in_order() -> None:
    shape = [[5, 9, 4, 7, 3, 8, 6, 2, 9]] * 400
    for kind in ("nsp", "sop"):
        orders = [pair.order for _, pair in all_pairs(shape, 24, kind) if pair.order is not None]  # type: ignore[arg-type]
        assert len(orders) > 700
        assert abs(sum(orders) / len(orders) - 0.5) < 1.5 / len(orders) ** 0.5  # 3 standard deviations


def test_front_and_back_are_cut_alike() -> None:
    found = [pair for _, pair in all_pairs([[60, 60]] * 300, 40, "sop")]
    fronts = [places(pair.first)[0][2] for pair in found]
    backs = [59 - places(pair.first)[-1][2] for pair in found]
    assert all(front + back == 40 for front, back in zip(fronts, backs, strict=True))
    assert abs(sum(fronts) / len(fronts) - 20) < 1


@given(documents_of_words, st.integers(2, 30), kinds)
@settings(max_examples=40, deadline=None)
def test_every_sentence_is_in_some_pair_of_its_document(shape: list[list[int]], size: int, kind: Kind) -> None:
    for number, sentences in enumerate(shape):
        if max(sentences) * len(sentences) > size:
            continue  # cut
        own = [pair for document, pair in all_pairs(shape, size, kind) if document == number]
        found = {entry[:2] for pair in own for text in (pair.first, pair.second or "") for entry in places(text)}
        assert {(number, sentence) for sentence in range(len(sentences))} <= found


def test_seed_and_text_alone_decide() -> None:
    shape = [[4, 5, 6, 7], [3, 3, 3, 9]]
    assert all_pairs(shape, 20, "nsp", 1) == all_pairs(shape, 20, "nsp", 1)
    assert any(all_pairs(shape, 20, "nsp", seed) != all_pairs(shape, 20, "nsp", 0) for seed in range(1, 5))


def test_a_random_next_sentence_needs_another_document() -> None:
    with pytest.raises(ValueError, match="another document"):
        list(pairs(made([[3, 4]]), 0, 20, "nsp", 0, others=[0]))
    assert list(pairs(made([[3, 4]]), 0, 20, "sop", 0, others=[0]))


def test_a_random_next_sentence_is_of_a_document_that_has_next_sentences() -> None:
    """Else what stands alone in a line of its own would never be the right one, and be told by its looks."""
    shape = [[4, 5, 6, 7], [5, 5, 5], [6, 4, 6], *([[5]] * 60)]
    found = [pair for seed in range(20) for _, pair in all_pairs(shape, 12, "nsp", seed)]
    strange = [pair.second for pair in found if pair.order == OUT_OF_ORDER]
    assert len(strange) > 20
    assert {places(second or "")[0][0] for second in strange} == {0, 1, 2}


@given(documents_of_words, st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_stretches_hold_every_word_once_in_its_order(shape: list[list[int]], size: int) -> None:
    for document in made(shape):
        found = stretches(document, size)
        assert all(0 < len(split_words(text)[0]) <= size for text in found)
        assert " ".join(found).split() == " ".join(sentence.text for sentence in document).split()
