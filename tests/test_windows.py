"""Windows: flat arrays, padded batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tunegate.windows import PAD_MULTIPLE, Windows, joined, length_sorted_batches

LENGTHS = st.lists(st.integers(min_value=1, max_value=40), min_size=1, max_size=30)


def make(lengths: list[int]) -> Windows:
    """Window `w` holds the tokens 100 w + 1, 100 w + 2, ..."""
    ids = np.concatenate([100 * w + 1 + np.arange(length) for w, length in enumerate(lengths)]).astype(np.int32)
    return Windows(
        tokens={"input_ids": ids, "token_type_ids": np.ones_like(ids)},
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        record=np.arange(len(lengths), dtype=np.int64),
        number=np.zeros(len(lengths), dtype=np.int32),
        dropped=np.zeros(len(lengths), dtype=np.int32),
    )


def numbers(values: list[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


@given(LENGTHS, st.data())
def test_a_batch_holds_just_the_chosen_windows_tokens(lengths: list[int], data: st.DataObject) -> None:
    windows = make(lengths)
    chosen = data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=8))
    batch = windows.batch(numbers(chosen), {"input_ids": -7})
    for row, window in enumerate(chosen):
        expected = [100 * window + 1 + token for token in range(lengths[window])]
        inside = batch["attention_mask"][row] == 1
        assert batch["input_ids"][row][inside].tolist() == expected
        assert set(batch["input_ids"][row][~inside].tolist()) <= {-7}
        assert batch["token_type_ids"][row][~inside].sum() == 0


@given(LENGTHS)
def test_a_batch_is_as_wide_as_its_longest_window_rounded_up(lengths: list[int]) -> None:
    width = make(lengths).batch(np.arange(len(lengths)), {})["input_ids"].shape[1]
    assert width % PAD_MULTIPLE == 0
    assert max(lengths) <= width < max(lengths) + PAD_MULTIPLE


@given(LENGTHS, st.data())
def test_taken_windows_batch_like_the_chosen_ones(lengths: list[int], data: st.DataObject) -> None:
    windows = make(lengths)
    chosen = numbers(data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=8)))
    taken = windows.take(chosen)
    assert taken.record.tolist() == chosen.tolist()
    direct = windows.batch(chosen, {})
    again = taken.batch(np.arange(len(chosen)), {})
    assert all(np.array_equal(direct[name], again[name]) for name in direct)


@given(LENGTHS, st.integers(min_value=8, max_value=200))
def test_sorted_batches_hold_every_window_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = length_sorted_batches(numbers(lengths), budget)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for batch in batches:
        width = -(-max(lengths[window] for window in batch) // PAD_MULTIPLE) * PAD_MULTIPLE
        assert len(batch) == 1 or width * len(batch) <= budget


def test_no_windows_make_no_batches() -> None:
    assert length_sorted_batches(numbers([]), 100) == []


def test_arrays_that_do_not_fit_together_are_refused() -> None:
    good = make([2, 3])
    with pytest.raises(ValueError, match="one value per token"):
        Windows({"input_ids": np.zeros(4, np.int32)}, good.offsets, good.record, good.number, good.dropped)
    with pytest.raises(ValueError, match="every window needs"):
        Windows(good.tokens, good.offsets, good.record[:1], good.number, good.dropped)


@given(st.lists(LENGTHS, min_size=1, max_size=4))
def test_windows_made_piece_by_piece_are_those_of_the_whole(pieces: list[list[int]]) -> None:
    whole = make([length for piece in pieces for length in piece])
    parts = [make(piece) for piece in pieces]
    together = joined(parts, [len(piece) for piece in pieces])
    assert np.array_equal(together.offsets, whole.offsets)
    assert np.array_equal(together.record, whole.record)
    assert together.tokens["input_ids"].tolist() == [token for part in parts for token in part.tokens["input_ids"]]
