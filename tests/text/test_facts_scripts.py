import numpy as np
import pyarrow as pa
import pytest

from tunegate.text.facts.scripts import SCRIPTS, scripts, unusual


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("hello", "Latin"),
        ("größer", "Latin"),
        ("这家酒店 OK", "Han or kana"),
        ("テストです", "Han or kana"),
        ("한글", "Hangul"),
        ("привет, pal", "Cyrillic"),
        ("γειά", "Greek"),
        ("مرحبا", "Arabic"),
        ("שלום", "Hebrew"),
        ("बहुत अच्छा", "Devanagari"),
        ("บริการ", "Thai or Lao"),
        ("123 !? 😀", "none"),
        ("", "none"),
        (None, "none"),
    ],
)
def test_the_script_with_the_most_letters_is_the_texts_own(text: str | None, script: str) -> None:
    assert SCRIPTS[scripts(pa.array([text, "x"], type=pa.string()))[0]] == script


def test_rows_in_a_script_that_hardly_any_row_is_in_are_unusual() -> None:
    numbers = np.array([1] * 300 + [4] * 2 + [0], dtype=np.int8)
    assert np.flatnonzero(unusual(numbers, 0.01)).tolist() == [300, 301]


def test_two_scripts_with_many_rows_each_are_both_usual() -> None:
    assert not unusual(np.array([1] * 50 + [2] * 50, dtype=np.int8), 0.01).any()


def test_rows_without_letters_are_never_unusual() -> None:
    assert not unusual(np.array([1] * 500 + [0], dtype=np.int8), 0.01).any()
