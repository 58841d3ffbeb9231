from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.statistics.noninferiority import Bounds, Decision, decide, decide_by, paired_bounds
from tunegate.statistics.proportions import Paired, tango

ROWS, MARGIN, DISCORDANCE = 4000, 0.01, 0.06


@cache
def verdict(wins: int, losses: int, rows: int = ROWS) -> Decision:
    return decide(Paired(wins, losses, rows), MARGIN)


def drawn(difference: float, rows: int = ROWS, times: int = 1000, seed: int = 0) -> list[Decision]:
    """Verdicts on pairs of models whose true difference is this."""
    shares = [(DISCORDANCE + difference) / 2, (DISCORDANCE - difference) / 2, 1 - DISCORDANCE]
    counts = np.random.default_rng(seed).multinomial(rows, shares, size=times)
    return [verdict(int(wins), int(losses), rows) for wins, losses, _ in counts]


def share(decisions: list[Decision], which: str) -> float:
    return float(np.mean([decision.verdict == which for decision in decisions]))


def test_an_equal_model_mostly_passes_and_hardly_ever_fails() -> None:
    equal = drawn(0.0)
    assert share(equal, "PASS") > 0.75 and share(equal, "FAIL") < 0.01


def test_a_model_worse_by_the_margin_passes_as_rarely_as_it_may() -> None:
    assert share(drawn(-MARGIN), "PASS") < 0.065  # 5 %, and what 1,000 draws vary by


def test_a_model_that_is_much_worse_fails() -> None:
    assert share(drawn(-0.05), "FAIL") > 0.99


def test_no_discordant_row_of_20_is_no_pass() -> None:
    decision = decide(Paired(0, 0, 20), 0.01)
    assert decision.verdict == "UNDECIDED" and decision.lower < -0.1
    assert decision.more_rows is not None and decision.more_rows > 500


@pytest.mark.parametrize("pair", [Paired(0, 0, 0), Paired(0, 0, 1), Paired(1, 0, 1), Paired(0, 1, 1)])
def test_no_row_and_one_row_decide_nothing_and_ask_for_many(pair: Paired) -> None:
    decision = decide(pair, 0.01)
    assert decision.verdict == "UNDECIDED"
    assert decision.more_rows is not None and decision.more_rows > 1000
    assert -1 <= decision.low <= decision.lower <= decision.upper <= decision.high <= 1


@pytest.mark.parametrize("difference", [0.0, -0.005])
def test_the_rows_that_undecided_asks_for_settle_it_three_times_in_four(difference: float) -> None:
    random = np.random.default_rng(1)
    shares = [(DISCORDANCE + difference) / 2, (DISCORDANCE - difference) / 2, 1 - DISCORDANCE]
    settled = []
    for wins, losses, _ in random.multinomial(ROWS, shares, size=400):
        first = verdict(int(wins), int(losses))
        if first.verdict == "UNDECIDED" and first.more_rows is not None:
            more = random.multinomial(first.more_rows, shares)
            pair = Paired(int(wins + more[0]), int(losses + more[1]), ROWS + first.more_rows)
            settled.append(decide(pair, MARGIN).verdict != "UNDECIDED")
    assert len(settled) > 50 and np.mean(settled) > 0.75


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 3000), st.floats(0.001, 0.3))
def test_the_verdict_is_what_the_bounds_say(wins: int, losses: int, others: int, margin: float) -> None:
    pair = Paired(wins, losses, wins + losses + others)
    decision = decide(pair, margin)
    assert (decision.lower, decision.upper) == tango(pair)
    assert decision.low <= decision.lower <= decision.upper <= decision.high
    assert (decision.verdict == "PASS") == (decision.lower > -margin)
    assert (decision.verdict == "FAIL") == (decision.upper < -margin)
    assert decision.more_rows is None or (decision.verdict == "UNDECIDED" and decision.more_rows >= 1)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 500))
def test_a_wider_margin_never_turns_a_pass_into_anything_else(wins: int, losses: int, others: int) -> None:
    pair = Paired(wins, losses, wins + losses + others)
    order = {"FAIL": 0, "UNDECIDED": 1, "PASS": 2}
    found = [order[decide(pair, margin).verdict] for margin in (0.005, 0.02, 0.1)]
    assert found == sorted(found)


def test_bounds_from_elsewhere_decide_by_the_same_rule() -> None:
    pair = Paired(30, 36, 1000)
    assert decide_by(paired_bounds(pair), 0.03).verdict == decide(pair, 0.03).verdict == "PASS"
    undecided = decide_by(paired_bounds(pair), 0.01)
    assert undecided.verdict == "UNDECIDED"
    alike = decide(pair, 0.01).more_rows
    assert undecided.more_rows == pytest.approx(alike, rel=0.1)
    assert decide_by(Bounds(0.0, 0.0, 0.0, 0.0, 0.0, 0), 0.01).verdict == "UNDECIDED"
