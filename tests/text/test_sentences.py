"""Sentences of documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.text.sentences import joined, sentences_of


@pytest.mark.parametrize(
    ("document", "sentences"),
    [
        ("It rains. The road is wet! Why?", ["It rains.", "The road is wet!", "Why?"]),
        ("Dr. A came at 5.30 p.m. with J. Smith. He left.", ["Dr. A came at 5.30 p.m. with J. Smith.", "He left."]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("今天下雨。路很湿！为什么？", ["今天下雨。", "路很湿！", "为什么？"]),
        ("他说：“不。”然后走了。", ["他说：“不。”", "然后走了。"]),
        ("one line\n\nand the next\n", ["one line", "and the next"]),
        ("", []),
    ],
)  # fmt: skip
def test_sentences_end_at_lines_or_at_marks(document: str, sentences: list[str]) -> None:
    assert sentences_of(document) == sentences


def test_lines_need_not_be_sentences() -> None:
    document = "It rains. The\nroad is wet."
    assert sentences_of(document) == ["It rains. The", "road is wet."]
    assert sentences_of(document, "marks") == ["It rains.", "The road is wet."]
    assert sentences_of("It rains. It pours.", "lines") == ["It rains. It pours."]


@given(st.text(alphabet='ab .!?。\n"”', max_size=80), st.sampled_from(["auto", "lines", "marks"]))
def test_no_sentence_is_empty_and_no_letter_is_lost(document: str, ends: str) -> None:
    sentences = sentences_of(document, ends)  # type: ignore[arg-type]
    assert all(sentence == sentence.strip() != "" for sentence in sentences)
    assert "".join("".join(sentences).split()) == "".join(document.split())


def test_sentences_are_joined_as_their_script_has_it() -> None:
    assert joined(["It rains.", "Why?"]) == "It rains. Why?"
    assert joined(["今天下雨。", "路很湿。"]) == "今天下雨。路很湿。"
