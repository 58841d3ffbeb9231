import numpy as np
import pyarrow as pa
import pytest

from tunegate.text.facts.own import has_personal_data, is_blank, mended, odd_lengths, text_facts


def facts_of(*texts: str | None) -> dict[str, list[object]]:
    return {name: values.tolist() for name, values in text_facts([pa.array(texts, type=pa.string())], [True]).items()}


@pytest.mark.parametrize("text", [None, "", "   ", "\t\n\r\n", "\u00a0\u3000\u2003", "\u200b\u200d\u2060", "\ufeff"])
def test_what_cannot_be_seen_is_empty(text: str | None) -> None:
    assert is_blank(pa.array([text], type=pa.string())).tolist() == [True]


@pytest.mark.parametrize("text", ["a", "?", "😀", "\ufffd", "0"])
def test_what_can_be_seen_is_not_empty(text: str) -> None:
    assert facts_of(text)["text_empty"] == [False]


@pytest.mark.parametrize(
    ("broken", "meant"),
    [
        ("itâ€™s Ã©", "it’s é"),
        ("\xe8\xbf\x99\xe5\xae\xb6\xe9\x85\x92\xe5\xba\x97", "这家酒店"),
        ("ÃƒÂ©", "Ã©"),
        ("straÃŸe", "straße"),
    ],
)
def test_utf8_read_in_another_encoding_is_mojibake_and_says_what_was_meant(broken: str, meant: str) -> None:
    assert facts_of(broken)["enc_mojibake"] == [True]
    assert mended(broken) == meant


@pytest.mark.parametrize("text", ["café", "naïve résumé", "Ärger über «Größe»", "São Paulo", "它很好", "Ω½³", "CAFÉ"])
def test_accents_in_their_own_right_are_no_mojibake(text: str) -> None:
    assert facts_of(text)["enc_mojibake"] == [False]


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[31mred", "it\x92s", "a\x7f"])
def test_control_characters_are_found(text: str) -> None:
    assert facts_of(text)["ctrl_chars"] == [True]


def test_line_breaks_and_tabs_are_ordinary() -> None:
    assert facts_of("one\ttwo\r\nthree\u0085four")["ctrl_chars"] == [False]


@pytest.mark.parametrize("text", ["[SEP] hello", "a <pad> b", "</s>", "<|endoftext|>", "see [MASK]"])
def test_special_tokens_typed_by_a_user_are_found(text: str) -> None:
    assert facts_of(text)["special_literal"] == [True]


@pytest.mark.parametrize("text", ["[sep]arate", "a [note] b", "x < s > y", "<b>bold</b>"])
def test_ordinary_brackets_are_no_special_tokens(text: str) -> None:
    assert facts_of(text)["special_literal"] == [False]


def test_lengths_count_characters_without_the_white_space_around_them() -> None:
    assert facts_of("  ab ", "这家", "👍")["n_chars"] == [2, 2, 1]


def test_of_a_pair_the_longest_and_the_shortest_text_are_measured_and_an_absent_one_is_not() -> None:
    columns = [pa.array(["long text", "one"]), pa.array(["x", None])]
    facts = text_facts(columns, [True, False])
    assert facts["n_chars"].tolist() == [9, 3]
    assert facts["n_chars_shortest"].tolist() == [1, 3]
    assert facts["text_empty"].tolist() == [False, False]


@pytest.mark.parametrize(
    "text", ["mail me: ann@example.org", "call +44 20 7946 0958", "手机13812345678", "(212) 555-0199"]
)
def test_addresses_and_numbers_of_people_are_found(text: str) -> None:
    assert has_personal_data(pa.array([text])).tolist() == [True]


@pytest.mark.parametrize("text", ["order 20394857261", "2024-01-31 12:30", "1,299.00 EUR", "a @ b"])
def test_order_numbers_dates_and_prices_are_nobodys(text: str) -> None:
    assert has_personal_data(pa.array([text])).tolist() == [False]


def test_a_length_far_from_the_others_is_odd() -> None:
    lengths = np.array([40, 55, 60, 80, 100, 120, 150] * 20 + [9_000, 2])
    assert np.flatnonzero(odd_lengths(lengths, np.ones(len(lengths), dtype=bool))).tolist() == [140, 141]


def test_among_texts_of_one_length_a_slightly_longer_one_is_not_odd() -> None:
    lengths = np.array([10] * 50 + [15])
    assert not odd_lengths(lengths, np.ones(51, dtype=bool)).any()


def test_what_was_not_measured_is_not_odd() -> None:
    assert not odd_lengths(np.array([10, 10, 0]), np.array([True, True, False])).any()
    assert odd_lengths(np.array([], dtype=np.int64), np.array([], dtype=bool)).tolist() == []
