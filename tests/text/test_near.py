"""Near twins: what counts as one, and that no pair is missed by the short cut."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.text.near import NOBODY, OF, SHARED, KnownTexts


def twin(text: str, known: str) -> bool:
    return find([text], [known]) == [0]


def find(texts: list[str], known: list[str], groups: list[int] | None = None, own: int = 9) -> list[int]:
    """The group of each text's twin; by default all that is known is in group 0."""
    index = KnownTexts([pa.array(known, pa.string())], np.array(groups or [0] * len(known), dtype=np.int64))
    asked = [pa.array(texts, pa.string())]
    return index.twins(asked, np.full(len(texts), own, dtype=np.int64)).tolist()


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("Where is my parcel?", "where is my parcel"),
        ("is this lamp broken", "this is lamp broken!"),
        ("where is my new parcel please", "where is my new parcel"),
        ("我的包裹在哪里应该到了", "我的包裹在那里应该到了"),
        ("icecream", "ice cream"),
        ("!!!", "!!!"),
    ],
)
def test_case_punctuation_order_and_one_word_in_four_do_not_part_texts(text: str, known: str) -> None:
    assert twin(text, known)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("where is my parcel", "where is my letter"),
        ("no no no no", "no"),
        ("a b c", ""),
        ("", "a"),
        ("?", "!"),
    ],
)
def test_other_words_make_another_text(text: str, known: str) -> None:
    assert not twin(text, known)


def test_a_row_of_the_same_group_is_no_twin_and_the_lowest_other_group_is_named() -> None:
    known = ["open the door", "open the door", "open the door"]
    assert find(["the open door"], known, [2, 1, 0], own=0) == [1]
    assert find(["the open door"], known, [3, 3, 3], own=3) == [NOBODY]


def test_nothing_known_has_no_twins() -> None:
    assert find(["a text"], []) == [NOBODY]


def test_of_a_pair_each_text_is_compared_with_its_own_counterpart() -> None:
    known = KnownTexts([pa.array(["a b"]), pa.array(["c d"])], np.array([0]))
    asked = [pa.array(["b a", "c d"]), pa.array(["d c", "a b"])]
    assert known.twins(asked, np.array([1, 1])).tolist() == [0, NOBODY]


SHORT = st.lists(st.sampled_from("abcdefgh"), max_size=8).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(SHORT, max_size=6), st.lists(SHORT, min_size=1, max_size=8))
def test_every_near_pair_is_found_and_no_other(texts: list[str], known: list[str]) -> None:
    def near(one: str, other: str) -> bool:
        if one.replace(" ", "") == other.replace(" ", ""):
            return True
        left, right = Counter(one.split()), Counter(other.split())
        return OF * (left & right).total() >= SHARED * (left | right).total()

    groups = list(range(len(known)))
    expected = [min((n for n in groups if near(text, known[n])), default=NOBODY) for text in texts]
    assert find(texts, known, groups) == expected
