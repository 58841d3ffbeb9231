"""Ten thousand flipped rows: filtered, searched and cut into pages without delay."""

import time

import pyarrow as pa
import pytest

from tunegate.review.flips import Compared
from tunegate.review.paging import paged
from tunegate.tasks import record_of

ROWS = 10_000


@pytest.fixture(scope="module")
def many() -> Compared:
    kinds = ["broken" if number % 3 else "fixed" for number in range(ROWS)]
    table = pa.table(
        {
            "id": [f"r{number}" for number in range(ROWS)],
            "text": [
                f"message {number} about the {'Parcel' if number % 2 else 'refund'} (50 %)" for number in range(ROWS)
            ],
            "label": ["a" if number % 5 else "b" for number in range(ROWS)],
            "kind": kinds,
        }
    )
    part = record_of("text_classification")
    return Compared(ROWS, 0, 0, 0, (), (), table, ("text",), part.Record, part.PAYLOAD)


def test_a_filter_keeps_what_fits_all_of_it(many: Compared) -> None:
    found = many.chosen("broken", "b", "pArCeL").to_pylist()
    assert found
    assert all(row["kind"] == "broken" and row["label"] == "b" and "Parcel" in row["text"] for row in found)


def test_a_search_is_for_words_not_for_a_pattern(many: Compared) -> None:
    assert len(many.chosen(search="(50 %)")) == ROWS
    assert len(many.chosen(search=".*")) == 0
    assert [row["id"] for row in many.chosen(search="r9999").to_pylist()] == ["r9999"]


def test_pages_of_ten_thousand_rows_stay_quick(many: Compared) -> None:
    start = time.process_time()
    for number in (1, 100, 200):
        assert len(paged(many.chosen("", "", "message"), number, 50).rows) == 50
    assert time.process_time() - start < 1.0


def test_a_page_beyond_the_last_is_the_last(many: Compared) -> None:
    last = paged(many.flips, 10**9, 50)
    assert (last.number, last.pages, last.start) == (200, 200, 9_951)
    assert last.numbers == [1, None, 198, 199, 200]
    empty = paged(many.flips.slice(0, 0), 3, 50)
    assert (empty.number, empty.pages, empty.total, list(empty.rows)) == (1, 1, 0, [])
