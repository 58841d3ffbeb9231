"""Rows that a model has learnt from are found by id and by what they ask, and rows of unknown labels by their label."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tunegate.evaluation.leave_outs import leave_outs
from tunegate.records import Payload
from tunegate.tasks import record_of

PAYLOAD = record_of("text_classification").PAYLOAD


def table(*rows: tuple[str, str, str | None]) -> pa.Table:
    """Of (id, text, second text)."""
    columns = zip(*rows, strict=True) if rows else [[], [], []]
    names = ("id", "text", "text_b")
    made = {name: pa.array(list(values), pa.string()) for name, values in zip(names, columns, strict=True)}
    return pa.table({**made, "label": pa.array(["a"] * len(rows), pa.string())})


def test_a_row_is_known_by_its_id_though_its_text_was_corrected() -> None:
    found = leave_outs(
        table(("r1", "new text", None), ("r2", "other", None)), [table(("r1", "old", None))], PAYLOAD, ["a"]
    )
    assert found.by_id.tolist() == [True, False] and not found.by_text.any()
    assert found.kept.tolist() == [False, True]


def test_a_row_is_known_by_its_text_though_case_width_and_punctuation_differ() -> None:
    test = table(("t1", "Where is my Parcel?", None), ("t2", "Ｗhere is my parcel", None), ("t3", "where is it", None))
    found = leave_outs(test, [table(("r9", "where is my parcel!", None))], PAYLOAD, ["a"])
    assert found.by_text.tolist() == [True, True, False]


def test_a_pair_is_known_only_with_both_of_its_texts() -> None:
    test = table(("t1", "first", "second"), ("t2", "first", "third"), ("t3", "first", None))
    learnt = table(("r9", "first", "second"))
    assert leave_outs(test, [learnt], PAYLOAD, ["a"]).by_text.tolist() == [True, False, False]
    single = learnt.drop_columns(["text_b"])  # a version that was trained before pairs were known
    assert leave_outs(test, [single], PAYLOAD, ["a"]).by_text.tolist() == [False, False, True]


LONG = "please tell me when the second parcel of my order from last week will arrive at the house in the old town"


def test_a_long_text_with_one_word_replaced_is_known() -> None:
    test = table(
        ("t1", LONG.replace("second", "first"), None),
        ("t2", LONG.replace("second", "first").replace("old", "new"), None),
    )
    assert leave_outs(test, [table(("r9", LONG, None))], PAYLOAD, ["a"]).by_text.tolist() == [True, False]


def test_short_texts_that_share_words_but_not_their_order_are_not_known() -> None:
    test = table(("t1", "can I pay you with my card", None), ("t2", "why was my card payment declined", None))
    learnt = table(("r1", "can you pay I with my card", None), ("r2", "why was my card payment reverted", None))
    assert not leave_outs(test, [learnt], PAYLOAD, ["a"]).by_text.any()


def test_each_text_of_a_pair_is_near_for_itself() -> None:
    other = "the parcel was lost"
    test = table(("t1", LONG.replace("second", "first"), other), ("t2", LONG, "the parcel was found"))
    assert leave_outs(test, [table(("r9", LONG, other))], PAYLOAD, ["a"]).by_text.tolist() == [True, False]


def test_chinese_is_compared_by_pairs_of_characters() -> None:
    known = "请问我上周在你们网店订购的第二个包裹什么时候可以送到我在老城区的家里"
    test = table(("t1", known.replace("二", "三"), None), ("t2", known[::-1], None))
    assert leave_outs(test, [table(("r9", known, None))], PAYLOAD, ["a"]).by_text.tolist() == [True, False]


def test_labels_may_be_lists() -> None:
    labels = pa.array([["O", "B-x"], ["O"], [], None], pa.list_(pa.string()))
    rows = (
        table(*((f"t{n}", f"text {n}", None) for n in range(4))).drop_columns(["label"]).append_column("tags", labels)
    )
    payload = (PAYLOAD[0], Payload("tags", "label", required=True, description="tags"))
    assert leave_outs(rows, [], payload, ["O"]).label_unknown.tolist() == [True, False, False, False]
    assert not leave_outs(rows, [], payload, None).label_unknown.any()
    assert not leave_outs(rows, [], payload, []).label_unknown.any()  # a task without a label file knows all


@given(st.lists(st.text("ab !", min_size=1, max_size=3), max_size=12), st.data())
def test_every_row_of_the_training_rows_is_found_and_none_else(texts: list[str], data: st.DataObject) -> None:
    rows = table(*((f"t{n}", text, None) for n, text in enumerate(texts)))
    chosen = data.draw(st.lists(st.sampled_from(range(len(texts))), unique=True) if texts else st.just([]))
    learnt = table(*((f"r{n}", texts[n], None) for n in chosen))
    found = leave_outs(rows, [learnt], PAYLOAD, ["a"])
    exact = np.isin(np.array(texts, dtype=object), [texts[n] for n in chosen])
    assert not found.by_id.any() and np.all(found.by_text >= exact)
    assert bool(chosen) or not found.by_text.any()


def test_no_rows_and_nothing_learnt_are_no_error() -> None:
    assert leave_outs(table(), [table()], PAYLOAD, []).kept.tolist() == []
    assert leave_outs(table(("t1", "x", None)), [table()], PAYLOAD, ["a"]).kept.tolist() == [True]
