"""Splits by hash: a row's side is its own, whatever else is in the data."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tunegate.params import SplitSettings
from tunegate.text.splits import split_by_hash

TEXTS = st.lists(st.text(max_size=12), min_size=1, max_size=30)
SHARES = st.floats(0, 0.49)


def sides(
    texts: list[str], test: float, validation: float, seed: int = 0, groups: list[str | None] | None = None
) -> list[str]:
    settings = SplitSettings(test=test, validation=validation, seed=seed)
    column = pa.array(groups or [None] * len(texts), pa.string())
    return list(split_by_hash([pa.array(texts, pa.string())], column, settings).to_pylist())


@given(TEXTS, TEXTS, SHARES, SHARES)
def test_a_new_row_never_moves_an_old_row_between_splits(
    old: list[str], new: list[str], test: float, validation: float
) -> None:
    assert sides([*new, *old], test, validation)[len(new) :] == sides(old, test, validation)


@given(TEXTS, SHARES, SHARES, st.floats(0, 0.49))
def test_growing_the_test_share_only_adds_rows_to_it(
    texts: list[str], test: float, validation: float, more: float
) -> None:
    before, after = sides(texts, test, validation), sides(texts, min(0.5, test + more), validation)
    assert all(new == "test" for old, new in zip(before, after, strict=True) if old == "test")


@given(TEXTS, SHARES, SHARES, st.floats(0, 0.49))
def test_growing_the_validation_share_takes_rows_from_training_alone(
    texts: list[str], test: float, validation: float, more: float
) -> None:
    before, after = sides(texts, test, validation), sides(texts, test, min(0.5, validation + more))
    moved = {(old, new) for old, new in zip(before, after, strict=True) if old != new}
    assert moved <= {("train", "validation")}


@given(st.text(alphabet="aBÉ中 ", min_size=1, max_size=12).filter(str.strip))
def test_texts_that_count_as_the_same_stand_on_one_side(text: str) -> None:
    assert len(set(sides([text, text.upper(), f" {text}!", text.replace(" ", "  ")], 0.4, 0.4))) == 1


@given(TEXTS, st.text(min_size=1))
def test_rows_of_one_group_stand_on_one_side(texts: list[str], group: str) -> None:
    assert len(set(sides(texts, 0.4, 0.4, groups=[group] * len(texts)))) == 1


def test_shares_are_met_and_another_seed_is_another_split() -> None:
    texts = [f"row number {number}" for number in range(20_000)]
    one, two = sides(texts, 0.2, 0.1), sides(texts, 0.2, 0.1, seed=1)
    assert abs(one.count("test") / 20_000 - 0.2) < 0.01
    assert abs(one.count("validation") / 20_000 - 0.1) < 0.01
    assert 0.3 < sum(a != b for a, b in zip(one, two, strict=True)) / 20_000 < 0.6


def test_a_group_is_no_text_and_a_pair_is_no_single_text() -> None:
    settings = SplitSettings(test=0.5, validation=0.0)
    words = [f"w{number}" for number in range(200)]
    nothing = pa.nulls(200, pa.string())
    alone = split_by_hash([pa.array(words)], nothing, settings)
    grouped = split_by_hash([pa.array(["same"] * 200)], pa.array(words), settings)
    paired = split_by_hash([pa.array(words), pa.array(words)], nothing, settings)
    assert alone not in (grouped, paired)


def test_an_absent_second_text_counts_as_an_empty_one() -> None:
    settings = SplitSettings(test=0.5, validation=0.0)
    words, nothing = pa.array([f"w{number}" for number in range(200)]), pa.nulls(200, pa.string())
    absent = split_by_hash([words, nothing], nothing, settings)
    assert absent == split_by_hash([words, pa.array([""] * 200)], nothing, settings)
