"""Near pairs: an edited text is found among many, and the measure is the true one."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.data_versions.matching import join
from tunegate.data_versions.near_pairs import LEAST, near_pairs
from tunegate.text.normalise import normalised

WORDS = ("parcel", "refund", "lamp", "order", "shop", "blue", "late", "week", "please", "broken", "card", "mail")


def pairs(left: list[str], right: list[str]) -> dict[tuple[int, int], float]:
    sides = [pa.array(left, pa.string()), pa.array(right, pa.string())]
    found = near_pairs(
        lambda rows: sides[0].take(pa.array(rows)), np.arange(len(left)),
        lambda rows: sides[1].take(pa.array(rows)), np.arange(len(right)),
    )  # fmt: skip
    return dict(
        zip(zip(found.before.tolist(), found.after.tolist(), strict=True), found.similarity.tolist(), strict=True)
    )


def jaccard(left: str, right: str) -> float:
    mine, others = (pieces(normalised(pa.array([text]))[0].as_py()) for text in (left, right))
    return len(mine & others) / max(1, len(mine | others))


def pieces(text: str) -> set[str]:
    return {text[place : place + (2 if ord(text[place]) >= 0x2E80 else 3)] for place in range(len(text))}


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), max_size=8),
    st.lists(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), max_size=8),
)
def test_pairs_are_as_alike_as_they_say_and_no_row_is_in_two(left: list[str], right: list[str]) -> None:
    found = pairs(left, right)
    assert len({one for one, _ in found}) == len({other for _, other in found}) == len(found)
    for (one, other), similarity in found.items():
        assert similarity == pytest.approx(jaccard(left[one], right[other]), abs=1e-3) and similarity >= LEAST


def test_an_edited_text_is_found_among_thousands_in_latin_and_chinese_script() -> None:
    rng = np.random.default_rng(0)
    many = [" ".join(rng.choice(WORDS, 9)) + f" {number}" for number in range(800)]
    left = [*many[:400], "the blue lamp came broken on tuesday", "请问我的包裹什么时候可以送到家里"]
    right = [*many[400:], "请问我的包裹什么时候能送到家里", "the blue lamp came broken on Thursday"]
    found = pairs(left, right)
    assert (400, 401) in found and (401, 400) in found


def test_a_thousand_equal_sentences_are_no_million_pairs() -> None:
    found = pairs(["thank you very much"] * 1_000, ["thank you very much!"] * 1_000)
    assert 0 < len(found) <= 1_000


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)))
def test_equal_keys_are_joined_first_with_first(left: list[int], right: list[int]) -> None:
    mine, others = join(np.array(left, dtype=np.uint64), np.array(right, dtype=np.uint64))
    expected = []
    for key in sorted({*left} & {*right}):
        places = [[place for place, value in enumerate(side) if value == key] for side in (left, right)]
        expected += list(zip(*places, strict=False))
    assert sorted(zip(mine.tolist(), others.tolist(), strict=True)) == sorted(expected)
