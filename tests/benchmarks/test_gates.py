"""What the gate promises, measured on the whole verdict: 4,000 test rows, 6 % discordance, a margin of 1 point."""

import numpy as np
import pytest

from benchmarks.gates import (
    MARGIN,
    chains,
    compare_gates,
    exact_pass,
    make_world,
    settled_share,
    undecided_share,
)
from tunegate.gate.trials import Trial
from tunegate.statistics.noninferiority import decide
from tunegate.statistics.proportions import Paired

TRIALS = 250
NOISE = 0.03  # of a share near 5 % in so many trials, twice its deviation


@pytest.fixture(scope="module")
def rows():
    return {row.change: row for row in compare_gates((0.0, -MARGIN, -0.05), TRIALS, seed=3)}


def test_a_model_worse_by_the_margin_passes_at_most_one_time_in_twenty(rows):
    assert exact_pass(-MARGIN) <= 0.05  # of no regression alone: the whole verdict asks for more, never for less
    assert rows[-MARGIN].ours.share("PASS") <= 0.05 + NOISE


def test_an_equal_model_passes_three_times_in_four_and_fails_at_most_one_time_in_twenty(rows):
    assert exact_pass(0.0) > 0.8
    assert rows[0.0].ours.share("PASS") >= 0.75
    assert rows[0.0].ours.share("FAIL") <= 0.05


def test_a_much_worse_model_fails(rows):
    assert rows[-0.05].ours.share("FAIL") >= 0.9


def test_the_usual_gates_err_where_this_one_does_not(rows):
    assert rows[-MARGIN].usual["a fixed tolerance of 1 point"] > 0.4  # lets half of the worse models through
    assert rows[0.0].usual["new >= old"] < 0.6  # blocks half of the equal ones
    assert rows[0.0].usual["no slice may fall"] < 0.05  # blocks nearly all of them


@pytest.mark.parametrize("creeping", [False, True])
def test_small_losses_do_not_add_up_and_a_better_model_still_passes(creeping):
    made = list(chains(100, seed=1, creeping=creeping))
    assert np.mean([chain.lost <= 0.01 + 1e-9 for chain in made]) >= 0.95
    assert np.mean([chain.better_passes for chain in made]) >= 0.95


def test_the_rows_that_undecided_asks_for_settle_it():
    share, cases = settled_share(-0.005, 40, seed=2)
    assert cases >= 15
    assert share >= 0.75


def test_no_discordant_row_of_20_is_no_pass():
    assert decide(Paired(0, 0, 20), MARGIN).verdict == "UNDECIDED"
    world = make_world(np.random.default_rng(0), 20)
    trial: Trial = world.judged(world.champion)
    assert trial.verdict != "PASS"


def test_rows_and_margin_decide_how_often_an_equal_model_is_undecided():
    assert undecided_share(225, 0.01, 300) > 0.7
    assert undecided_share(4000, 0.01, 300) < 0.25
    assert undecided_share(225, 0.05, 300) < 0.25
