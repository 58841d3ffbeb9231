"""The interval over seeds and rows holds the true gain as often as it says."""

import numpy as np
import pytest

from tunegate.statistics.paired_seeds import SeedGain, more_rows, more_seeds, seed_gain


def one_study(
    random: np.random.Generator, seeds: int, rows: int, spreads: tuple[float, float, float]
) -> tuple[SeedGain, float]:
    """A study of a gain of 1, with effects of the seeds, of the rows, and of both together."""
    of_seeds, of_rows, of_both = spreads
    table = 1 + of_seeds * random.standard_normal((seeds, 1)) + of_rows * random.standard_normal((1, rows))
    table = table + of_both * random.standard_normal((seeds, rows))
    draws = random.multinomial(rows, np.full(rows, 1 / rows), size=100) / rows
    found = seed_gain(table.mean(axis=1), table @ draws.T)
    return found, found.half()


@pytest.mark.parametrize("spreads", [(0.3, 0.0, 1.0), (0.0, 3.0, 1.0), (0.2, 2.0, 2.0)])
@pytest.mark.parametrize("seeds", [3, 5])
def test_nineteen_of_twenty_intervals_hold_the_gain(seeds: int, spreads: tuple[float, float, float]) -> None:
    random = np.random.default_rng(seeds)
    held = [
        abs(found.value - 1) <= half for found, half in (one_study(random, seeds, 100, spreads) for _ in range(400))
    ]
    assert 0.9 <= np.mean(held) <= 1.0


def test_one_seed_says_nothing_of_another() -> None:
    with pytest.raises(ValueError, match="one seed"):
        seed_gain(np.array([0.1]), np.zeros((1, 10)))


def test_more_seeds_settle_what_seeds_blur_and_rows_what_rows_blur() -> None:
    by_seeds = SeedGain(0.01, seeds=4e-4, own=1e-6, shared=1e-6, count=5)
    assert (more_seeds(by_seeds, 0.01) or 0) > 5 and more_rows(by_seeds, 0.01, 1000) is None
    by_rows = SeedGain(0.01, seeds=1e-7, own=1e-6, shared=4e-4, count=5)
    assert more_seeds(by_rows, 0.01) is None and (more_rows(by_rows, 0.01, 1000) or 0) > 1000


def test_so_many_seeds_do_settle_it_four_times_in_five() -> None:
    pilot = SeedGain(0.02, seeds=4e-4, own=0.0, shared=0.0, count=3)
    needed = more_seeds(pilot, 0.02)
    assert needed is not None
    random = np.random.default_rng(0)
    drawn = 0.02 + 0.02 * random.standard_normal((2000, needed))
    from scipy.stats import t

    half = t.ppf(0.975, needed - 1) * drawn.std(axis=1, ddof=1) / np.sqrt(needed)
    assert 0.75 <= float(np.mean(drawn.mean(axis=1) > half)) <= 0.95
