from collections import Counter
from pathlib import Path

import pyarrow as pa

from tunegate.records import write_table
from tunegate.validation.known import COLUMNS, Known, read_previous, with_summary


def facts(label: str = "a") -> pa.Table:
    values = [["train", "train"], [label, "b"], [3, 4], pa.array([7, 8], type=pa.uint64()), [None, "DUP_EXACT"]]
    return pa.table(dict(zip(COLUMNS, values, strict=True)))


def test_the_rows_that_stayed_and_the_words_come_back(tmp_path: Path) -> None:
    write_table(with_summary(facts(), Counter(one=3, two=1)), tmp_path / "facts.parquet")
    previous = read_previous(tmp_path / "facts.parquet")
    assert previous is not None
    assert previous.rows["label"].to_pylist() == ["a"]
    assert previous.words == {"one": 3, "two": 1} and previous.words_in_all == 4


def test_facts_in_another_format_are_not_compared(tmp_path: Path) -> None:
    write_table(facts(), tmp_path / "facts.parquet")
    assert read_previous(tmp_path / "facts.parquet") is None


def test_without_a_version_before_no_row_is_relabelled() -> None:
    keys = facts()["text_key"].to_numpy()
    assert not Known().relabelled(keys, facts()["label"]).any()
