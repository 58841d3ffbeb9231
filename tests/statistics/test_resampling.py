from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.comparing import main as comparing
from tunegate.statistics.resampling import collapse, observed, percentiles, resampled
from tunegate.task import Counts, Sums


def share(sums: Sequence[Sums]) -> NDArray[np.float64]:
    return np.asarray(sums[0]["correct"] / sums[0]["n"])


def gain(sums: Sequence[Sums]) -> NDArray[np.float64]:
    return np.asarray((sums[0]["correct"] - sums[1]["correct"]) / sums[0]["n"])


def counts(right: NDArray[np.bool_]) -> Counts:
    rows = len(right)
    hits = np.flatnonzero(right)
    record = np.concatenate([np.arange(rows), hits])
    key = np.concatenate([np.zeros(rows), np.ones(len(hits))]).astype(np.int32)
    return Counts(rows, ("n", "correct"), record, key, np.ones(len(record)))


RIGHT = np.random.default_rng(1).random(2000) < 0.8


def test_equal_rows_are_collapsed_and_none_is_lost() -> None:
    kinds = collapse([counts(RIGHT)])
    assert len(kinds.units) == 2
    assert kinds.total == 2000
    assert observed(kinds, share) == pytest.approx(RIGHT.mean())


def test_the_interval_is_that_of_resampling_the_rows_one_by_one() -> None:
    low, high = percentiles(resampled(collapse([counts(RIGHT)]), share, 4000, seed=0))
    error = 1.96 * np.sqrt(RIGHT.mean() * (1 - RIGHT.mean()) / 2000)
    assert (low, high) == pytest.approx((RIGHT.mean() - error, RIGHT.mean() + error), abs=2e-3)


def test_two_models_are_resampled_on_the_same_rows() -> None:
    """A model against itself differs in no resample, however small the sample."""
    kinds = collapse([counts(RIGHT), counts(RIGHT)])
    assert not resampled(kinds, gain, 200, seed=0).any()


def test_units_are_resampled_whole() -> None:
    """Ten copies of every row, grouped: the interval is that of the rows, not of ten times as many."""
    few = RIGHT[:100]
    copies = np.repeat(few, 10)
    grouped = collapse([counts(copies)], np.repeat(np.arange(100), 10))
    alone = collapse([counts(few)])
    wide = np.std(resampled(grouped, share, 3000, seed=0))
    assert wide == pytest.approx(np.std(resampled(alone, share, 3000, seed=0)), rel=0.1)


def test_one_seed_gives_one_interval() -> None:
    kinds = collapse([counts(RIGHT)])
    assert (resampled(kinds, share, 50, seed=3) == resampled(kinds, share, 50, seed=3)).all()
    assert (resampled(kinds, share, 50, seed=3) != resampled(kinds, share, 50, seed=4)).any()


def test_ten_thousand_resamples_of_a_hundred_thousand_rows_need_little_memory_and_time() -> None:
    right = np.random.default_rng(2).random(100_000) < 0.9
    values = resampled(collapse([counts(right)]), share, 10_000, seed=0)
    assert values.std() == pytest.approx(np.sqrt(0.09 / 100_000), rel=0.05)


def test_counts_of_different_records_are_refused() -> None:
    with pytest.raises(ValueError, match="different records"):
        collapse([counts(RIGHT), counts(RIGHT[:10])])


def test_the_benchmark_of_comparing_runs() -> None:
    table = comparing(rows=2_000, resamples=100, direct=2)
    assert [row[0] for row in table[1:]] == ["accuracy", "macro_f1"]
