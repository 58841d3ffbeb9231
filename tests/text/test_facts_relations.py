"""The vectorised relations against a plain reading of what they mean, pair by pair."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.text.facts.relations import Relations, later_copies, relations, without_conflicts


@dataclass(frozen=True)
class Row:
    near: int
    form: int  # rows with the same near and form have the same text
    side: int
    label: int
    sound: bool


rows = st.lists(
    st.builds(
        Row,
        near=st.integers(0, 4),
        form=st.integers(0, 1),
        side=st.integers(0, 2),
        label=st.integers(-1, 2),
        sound=st.integers(0, 4).map(bool),
    ),
    max_size=25,
)


def found(rows: list[Row]) -> Relations:
    return relations(
        np.array([row.near * 2 + row.form for row in rows], dtype=np.uint64),
        np.array([row.near for row in rows], dtype=np.uint64),
        np.array([row.side for row in rows], dtype=np.int8),
        np.array([row.label for row in rows], dtype=np.int64),
        np.array([row.sound for row in rows], dtype=bool),
    )


def exact(one: Row, other: Row) -> bool:
    return (one.near, one.form) == (other.near, other.form)


def others(rows: list[Row], number: int) -> list[tuple[int, Row]]:
    """The sound rows with nearly the same text."""
    return [
        (place, row)
        for place, row in enumerate(rows)
        if place != number and row.sound and row.near == rows[number].near
    ]


@given(rows)
@settings(max_examples=200, deadline=None)
def test_a_row_leaks_when_its_text_stands_on_a_more_protected_side(rows: list[Row]) -> None:
    result = found(rows)
    for number, row in enumerate(rows):
        above = [other for _, other in others(rows, number) if other.side > row.side and row.sound]
        same = any(exact(row, other) for other in above)
        assert (result.leak_exact[number] >= 0) == same
        assert (result.leak_near[number] >= 0) == (bool(above) and not same)


@given(rows)
@settings(max_examples=200, deadline=None)
def test_a_row_is_a_duplicate_when_its_text_stands_earlier_on_its_side(rows: list[Row]) -> None:
    result = found(rows)
    for number, row in enumerate(rows):
        earlier = [other for place, other in others(rows, number) if place < number and other.side == row.side]
        same = row.sound and any(exact(row, other) for other in earlier)
        assert (result.dup_exact[number] >= 0) == same
        assert (result.dup_near[number] >= 0) == (row.sound and bool(earlier) and not same)


@given(rows)
@settings(max_examples=200, deadline=None)
def test_a_row_conflicts_with_any_label_of_its_text_on_its_side_or_above(rows: list[Row]) -> None:
    result = found(rows)
    for number, row in enumerate(rows):
        rivals = {
            other.label
            for _, other in [(number, row), *others(rows, number)]
            if other.side >= row.side and other.label >= 0
        }
        conflicting = row.sound and row.label >= 0 and len(rivals) > 1
        assert (result.label_conflict[number] >= 0) == conflicting


@given(rows)
@settings(max_examples=100, deadline=None)
def test_a_twin_is_a_sound_row_with_nearly_the_same_text(rows: list[Row]) -> None:
    for twins in vars(found(rows)).values():
        for number, twin in enumerate(twins):
            if twin >= 0:
                assert twin != number
                assert rows[twin].sound and rows[twin].near == rows[number].near


@given(rows)
@settings(max_examples=100, deadline=None)
def test_what_is_left_stands_on_one_side_once_with_one_label(rows: list[Row]) -> None:
    result = found(rows)
    left = [
        row
        for number, row in enumerate(rows)
        if row.sound and all(twins[number] < 0 for twins in vars(result).values())
    ]
    assert len({row.near for row in left}) == len(left)


def test_a_test_row_is_never_touched_for_a_training_rows_sake() -> None:
    result = found([Row(0, 0, 0, 0, True), Row(0, 0, 2, 1, True)])
    assert [twins[1] for twins in vars(result).values()] == [-1] * 5
    assert result.leak_exact[0] == 1 and result.label_conflict[0] == 1


def test_of_rows_with_one_id_the_evaluation_row_keeps_it() -> None:
    keys = np.array([7, 7, 8], dtype=np.uint64)
    assert later_copies(keys, np.array([0, 2, 0], dtype=np.int8)).tolist() == [1, -1, -1]


@given(rows)
@settings(max_examples=100, deadline=None)
def test_a_row_whose_text_has_conflicting_labels_is_nobodys_duplicate(rows: list[Row]) -> None:
    result = without_conflicts(found(rows))
    conflicting = set(np.flatnonzero(result.label_conflict >= 0).tolist())
    for twins in (result.dup_exact, result.dup_near):
        duplicates = np.flatnonzero(twins >= 0)
        assert not conflicting & set(duplicates.tolist())
        assert not conflicting & {int(twins[row]) for row in duplicates if rows[row].label >= 0}
