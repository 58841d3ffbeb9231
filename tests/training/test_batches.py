import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.training.learning import examples
from tunegate.training.batches import draw_rows, epoch_batches, evaluation_batches, steps_per_epoch

NAMES = ("input_ids", "attention_mask")
WEIGHTS = st.lists(st.floats(0, 5), min_size=1, max_size=60).map(np.array)


@given(rows=st.integers(1, 200), size=st.integers(1, 33), epoch=st.integers(0, 3))
def test_an_epoch_holds_every_row_once_in_batches_of_the_size_asked(rows: int, size: int, epoch: int) -> None:
    batches = epoch_batches(examples(rows, 0, NAMES), size, 0, epoch)
    assert sorted(np.concatenate(batches)) == list(range(rows))
    assert len(batches) == steps_per_epoch(np.ones(rows), size)
    assert sum(len(batch) != size for batch in batches) <= 1


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    data = examples(100, 0, NAMES)
    orders = {(seed, epoch): epoch_batches(data, 8, seed, epoch) for seed in (0, 1) for epoch in (0, 1)}
    again = epoch_batches(data, 8, 1, 1)
    assert all(np.array_equal(one, other) for one, other in zip(orders[1, 1], again, strict=True))
    assert len({np.concatenate(order).tobytes() for order in orders.values()}) == 4


def test_rows_of_like_length_meet() -> None:
    data = examples(800, 0, NAMES)
    batches = epoch_batches(data, 8, 0, 0)
    padded = sum(int(data.lengths[batch].max()) * len(batch) for batch in batches)
    assert padded < 1.1 * data.lengths.sum()


@given(WEIGHTS, st.integers(0, 5))
def test_a_row_is_drawn_as_often_as_its_weight_says_up_to_one(weights: np.ndarray, seed: int) -> None:
    total = weights.sum()
    if total < 0.5:
        return
    drawn = np.bincount(draw_rows(weights, np.random.default_rng(seed)), minlength=len(weights))
    scaled = weights * (round(total) / total)  # the number of rows is whole, so weights are by a hair
    assert drawn.sum() == max(1, round(total))
    assert (np.abs(drawn - scaled) < 1 + 1e-9).all()


def test_whole_weights_are_whole_copies() -> None:
    drawn = draw_rows(np.array([1.0, 3.0, 0.0, 2.0]), np.random.default_rng(0))
    assert sorted(drawn) == [0, 1, 1, 1, 3, 3]


def test_a_weighted_epoch_has_as_many_steps_as_it_says() -> None:
    data = examples(50, 0, NAMES)
    data.weights[:] = np.linspace(0, 3, 50)
    assert [len(epoch_batches(data, 7, 0, epoch)) for epoch in range(3)] == [steps_per_epoch(data.weights, 7)] * 3


def test_evaluation_sees_every_row_once() -> None:
    data = examples(300, 0, NAMES)
    assert sorted(np.concatenate(evaluation_batches(data))) == list(range(300))
