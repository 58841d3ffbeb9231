import pyarrow as pa
import pytest

from tunegate.text.normalise import exact_keys, near_keys, normalised


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Where is my parcel?", "where is my parcel"),
        ("Where  is\tmy parcel", "Where is my parcel"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("我的包裹在哪里？", "我的包裹在哪里"),
        ("re­fund", "refund"),
    ],
)
def test_case_punctuation_spaces_and_width_make_no_other_text(one: str, other: str) -> None:
    assert len(set(normalised(pa.array([one, other])).to_pylist())) == 1


@pytest.mark.parametrize(("one", "other"), [("fine 👍", "fine 👎"), ("?", "!"), ("1+1", "11"), ("cafe", "café")])
def test_what_carries_meaning_makes_another_text(one: str, other: str) -> None:
    assert len(set(normalised(pa.array([one, other])).to_pylist())) == 2


def test_keys_of_a_pair_know_where_the_first_text_ends() -> None:
    keys = near_keys([pa.array(["ab", "a"]), pa.array(["c", "bc"])])
    assert keys[0] != keys[1]


def test_a_missing_second_text_is_an_empty_one() -> None:
    keys = near_keys([pa.array(["a", "a"]), pa.array(["", None])])
    assert keys[0] == keys[1]


def test_exact_keys_tell_case_apart_and_near_keys_do_not() -> None:
    texts = [pa.array(["Hello", "hello"])]
    assert len(set(exact_keys(texts))) == 2
    assert len(set(near_keys(texts))) == 1
