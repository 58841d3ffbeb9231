from collections import Counter

import pyarrow as pa

from tunegate.text.facts.words import count_words, most_frequent


def test_words_are_counted_without_case_and_punctuation() -> None:
    assert count_words(pa.array(["Where, where is it?", None, ""])) == Counter({"where": 2, "is": 1, "it": 1})


def test_chinese_is_counted_by_characters() -> None:
    assert count_words(pa.array(["包裹在哪里", "包 ok"])) == Counter(
        {"包": 2, "裹": 1, "在": 1, "哪": 1, "里": 1, "ok": 1}
    )


def test_of_equally_frequent_words_the_alphabetically_first_are_kept() -> None:
    assert most_frequent(Counter({"b": 1, "a": 1, "c": 2}), 2) == {"c": 2, "a": 1}
