"""Errors for people: a problem, a remedy, an exit status."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.errors import ExitStatus, OutsideError, RefusedError, TunegateError, UserError, did_you_mean


@pytest.mark.parametrize(("kind", "status"), [(UserError, 2), (RefusedError, 3), (OutsideError, 75)], ids=str)
def test_each_kind_of_error_has_its_exit_status(kind: Callable[[str, str], TunegateError], status: int) -> None:
    error = kind("It is wrong.", "Mend it.")
    assert error.status == status
    assert str(error) == "It is wrong. Mend it."


def test_the_statuses_are_told_apart() -> None:
    assert [int(status) for status in ExitStatus] == [0, 1, 2, 3, 4, 75, 130]


def test_the_nearest_name_is_suggested() -> None:
    assert did_you_mean("trian", ["train", "test"]) == ' Did you mean "train"?'


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    assert did_you_mean("zebra", ["train", "test"]) == ""


@given(st.text(), st.lists(st.text()))
def test_any_name_is_answered_with_a_known_one_or_nothing(name: str, known: list[str]) -> None:
    hint = did_you_mean(name, known)
    assert not hint or any(f'"{other}"' in hint for other in known)
