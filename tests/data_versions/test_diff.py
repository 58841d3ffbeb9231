"""The difference of two data versions: nothing is lost, nothing counts twice, and it says what happened to a row."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data_versions.tables import differ, row
from tunegate.data_versions.diff import KINDS
from tunegate.data_versions.told import markdown, terminal

SENTENCES = (
    "where is my parcel", "where is my parcel today", "the lamp is broken", "The lamp is broken!", "refund me please",
    "请问包裹在哪里", "请问我的包裹在哪里呢", "a",
    "cancel the order of last week please", "cancel the order of last week now",
)  # fmt: skip
ROW = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["", "1", "2", "3", "4", "5"]),
        "text": st.sampled_from(SENTENCES),
        "label": st.sampled_from(["x", "y", "z"]),
        "split": st.sampled_from(["", "train", "test"]),
        "channel": st.sampled_from(["mail", "chat"]),
    }
)
ROWS = st.lists(ROW, min_size=1, max_size=12)
COLUMNS = ("id", "text", "label", "split", "group", "weight", "annotator", "meta")


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("TUNEGATE_STATE", raising=False)
    return


def content(record: dict[str, Any] | None) -> tuple[Any, ...]:
    assert record is not None
    return tuple(record[name] for name in COLUMNS)


def contents(side: Any) -> Counter[tuple[Any, ...]]:
    import numpy as np

    return Counter(content(record) for record in side.take(np.arange(len(side))).to_pylist())


@settings(max_examples=15, deadline=None)
@given(before=ROWS, after=ROWS)
def test_every_row_is_in_exactly_one_class(
    before: list[dict[str, str]], after: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    diff = differ(tmp_path_factory.mktemp("diff"), before, after)
    changes = list(diff.every_row())
    places = [Counter((one["source"], one["source_line"]) for one in side if one) for side in _sides(changes)]
    assert all(count == 1 for side in places for count in side.values())
    assert diff.same + sum(one.before is not None for one in changes) == diff.before.rows == len(before)
    assert diff.same + sum(one.after is not None for one in changes) == diff.after.rows == len(after)
    assert Counter(one.kind for one in changes) == {kind: count for kind, count in diff.counts.items() if count}
    assert diff.count() == len(changes) and all(diff.count(kind) == diff.counts[kind] for kind in KINDS)


@settings(max_examples=8, deadline=None)
@given(rows=ROWS)
def test_a_version_does_not_differ_from_itself(
    rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    diff = differ(tmp_path_factory.mktemp("diff"), rows, rows)
    assert diff.is_empty and diff.same == len(rows) and not diff.flow and not diff.rows()


@settings(max_examples=15, deadline=None)
@given(before=ROWS, after=ROWS)
def test_the_difference_applied_to_the_old_version_gives_the_new_one(
    before: list[dict[str, str]], after: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    diff = differ(tmp_path_factory.mktemp("diff"), before, after)
    old, new = (contents(side) for side in diff.sides)
    changes = list(diff.every_row())
    old.subtract(content(one.before) for one in changes if one.before)
    old.update(content(one.after) for one in changes if one.after)
    assert +old == new and not -old


def test_what_happened_to_a_row_is_told_by_its_kind(tmp_path: Path) -> None:
    before = [row(1, "the same"), row(2, "old words"), row(3, "was x"), row(4, "moves", split="train"), row(5, "goes"),
              row(6, "other column", channel="mail")]  # fmt: skip
    after = [row(1, "the same"), row(2, "new words"), row(3, "was x", "y"), row(4, "moves", split="test"),
             row(6, "other column", channel="chat"), row(7, "quite another thing")]  # fmt: skip
    diff = differ(tmp_path, before, after)
    ids = {kind: [(one.after or one.before or {})["id"] for one in diff.rows(kind)] for kind in KINDS}
    assert ids == {
        "added": ["7"], "removed": ["5"], "edited": ["2"], "relabelled": ["3"], "moved": ["4"], "other": ["6"]
    }  # fmt: skip
    assert [(one.before, one.after, one.rows) for one in diff.flow] == [("x", "y", 1)]


def test_an_edited_row_that_was_relabelled_too_counts_once_and_says_both(tmp_path: Path) -> None:
    diff = differ(tmp_path, [row(1, "one thing", "x")], [row(1, "something else", "y")])
    assert diff.counts["edited"] == 1 and diff.counts["relabelled"] == 0 and diff.also["label"] == 1
    assert diff.rows()[0].changed == ["text", "label"]


def test_rows_without_ids_are_matched_by_their_text_and_near_ones_count_as_edits(tmp_path: Path) -> None:
    before = [{"text": "where is my parcel from last week", "label": "x"}, {"text": "the lamp is broken", "label": "x"}]
    after = [
        {"text": "the lamp is broken", "label": "y"},
        {"text": "where is my parcel from last weekend", "label": "x"},
    ]
    diff = differ(tmp_path, before, after)
    assert diff.counts | {"edited": 1, "relabelled": 1, "added": 0, "removed": 0} == diff.counts
    assert (diff.rows("edited")[0].similarity or 0) > 0.6 and "similar text" in diff.notes[0]


def test_ids_that_are_row_numbers_do_not_turn_a_row_put_in_at_the_top_into_edits(tmp_path: Path) -> None:
    texts = ["my parcel is late", "refund the lamp", "cancel my order", "wrong colour", "where is the shop"]
    before = [row(number, text) for number, text in enumerate(texts)]
    after = [row(number, text) for number, text in enumerate(["an entirely new message", *texts])]
    diff = differ(tmp_path, before, after)
    assert (diff.counts["added"], diff.counts["edited"], diff.counts["other"]) == (1, 0, 5)
    assert "row numbers" in diff.notes[0]


def test_sentences_of_one_template_with_other_words_are_no_edits(tmp_path: Path) -> None:
    before = [{"text": "my kettle is broken since monday", "label": "x"}]
    after = [{"text": "my tulip is expensive since christmas", "label": "x"}]
    assert (
        differ(tmp_path, before, after).counts | {"added": 1, "removed": 1, "edited": 0}
        == differ(tmp_path, before, after).counts
    )


def test_a_page_of_rows_is_what_the_whole_list_has_at_that_place(tmp_path: Path) -> None:
    before = [row(number, f"message number {number}", "x") for number in range(300)]
    after = [row(number, f"message number {number}", "y" if number % 2 else "z") for number in range(300)]
    diff = differ(tmp_path, before, after)
    whole = [one.model_dump() for one in diff.every_row("relabelled")]
    assert [one.model_dump() for one in diff.rows("relabelled", offset=37, limit=21)] == whole[37:58]
    assert diff.count("relabelled", before="x", after="y") == 150
    assert all(one.after and one.after["label"] == "z" for one in diff.rows(after="z", limit=200))
    assert diff.count(after="nowhere") == 0


def test_a_batch_of_one_label_is_shown_as_a_shift_and_an_even_one_is_not(tmp_path: Path) -> None:
    before = [row(number, f"message number {number}", "xyz"[number % 3]) for number in range(300)]
    batch = [row(300 + number, f"another {number} message", "x") for number in range(60)]
    shifted = differ(tmp_path, before, [*before, *batch])
    found_labels = {one.label: one for one in shifted.labels}
    assert (found_labels["x"].p_added or 1) < 0.001 and found_labels["x"].added == 60
    assert next(one.p or 1 for one in shifted.columns if one.column == "label") < 0.001
    even = [row(300 + number, f"another {number} message", "xyz"[number % 3]) for number in range(60)]
    quiet = differ(tmp_path, before, [*before, *even])
    assert all((one.p_added or 1) > 0.5 for one in quiet.labels)


def test_labels_that_flow_one_way_are_shown_as_a_shift(tmp_path: Path) -> None:
    before = [row(number, f"message number {number}", "xy"[number % 2]) for number in range(100)]
    after = [{**one, "label": "y"} if number < 40 else one for number, one in enumerate(before)]
    labels = {one.label: one for one in differ(tmp_path, before, after).labels}
    assert (labels["x"].lost, labels["y"].gained) == (20, 20) and (labels["x"].p_relabelled or 1) < 0.001


def test_people_read_the_difference_in_a_terminal_and_as_markdown_without_live_markup(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> | [link](http://x)"
    diff = differ(tmp_path, [row(1, "a"), row(2, "b", "x")], [row(1, "a"), row(2, "b", "y"), row(3, hostile)])
    shown = terminal(diff)
    assert "relabelled" in shown and "x  ->  y" in " ".join(shown.split()).replace("x -> y", "x  ->  y")
    text = markdown(diff)
    assert "<script>" not in text and "| relabelled | 1 |" in text
    assert "No row differs." in terminal(differ(tmp_path, [row(1, "a")], [row(1, "a")]))


def _sides(changes: list[Any]) -> tuple[list[Any], list[Any]]:
    return [one.before for one in changes], [one.after for one in changes]
