"""Pays, does not pay, cannot tell: of answers whose worth is known."""

import numpy as np
import pytest

from tunegate.ablation.arms import Change
from tunegate.ablation.judging import Judge, Paid, judged
from tunegate.gate.trials import counts_of
from tunegate.task import Counts
from tunegate.tasks import answering_of

METRIC = answering_of("text_classification").METRICS[0]
TAKEN_OUT, PUT_IN = Change("augment", True, ()), Change("augment.swap=1", False, ())


def models(share: float, rows: int, seeds: int, seed: int) -> list[Counts]:
    """Right on that share of the rows, mostly the same ones for each seed."""
    random = np.random.default_rng(seed)
    hard = np.random.default_rng(1).random(rows)
    return [counts_of(0.8 * hard + 0.2 * random.random(rows) < share) for _ in range(seeds)]


def judge(rows: int, worth: float = 0.01) -> Judge:
    return Judge(METRIC, None, rows, "test", worth, 0.05)


def found(own: list[Counts], other: list[Counts], change: Change = TAKEN_OUT, worth: float = 0.01) -> Paid:
    base, arm = (own, other) if change.takes_out else (other, own)
    return judged(judge(own[0].records, worth), change, base, arm, list(range(len(own))))


@pytest.mark.parametrize("change", [TAKEN_OUT, PUT_IN])
def test_a_clear_gain_pays_whether_it_is_taken_out_or_put_in(change: Change) -> None:
    paid = found(models(0.9, 2000, 5, 2), models(0.8, 2000, 5, 3), change)
    assert paid.verdict == "pays" and 0.07 < paid.low < paid.gain < paid.high < 0.13
    assert paid.sentence.startswith(f"It pays: accuracy is {paid.gain:.3g} better with {change.said} [")


def test_a_gain_that_is_surely_less_than_worthwhile_does_not_pay() -> None:
    paid = found(models(0.85, 4000, 5, 2), models(0.85, 4000, 5, 3), worth=0.02)
    assert paid.verdict == "does not pay" and "surely less than the 0.02 that would be worth it" in paid.sentence


def test_harm_is_called_harm() -> None:
    paid = found(models(0.8, 2000, 5, 2), models(0.9, 2000, 5, 3))
    assert paid.verdict == "does not pay" and "it does harm" in paid.sentence and "worse with augment" in paid.sentence


@pytest.mark.parametrize(("rows", "gain", "way"), [(120, 0.02, "alone"), (80, 0.0, "both")])
def test_few_rows_and_seeds_cannot_tell_and_say_how_many_would(rows: int, gain: float, way: str) -> None:
    paid = found(models(0.82 + gain, rows, 2, 2), models(0.82, rows, 2, 3))
    assert paid.verdict == "cannot tell" and "would settle it, four times in five" in paid.sentence
    if way == "both":
        assert paid.settling_seeds is None and paid.settling_rows is None
        assert paid.settling_both is not None and paid.settling_both[0] > 2 and paid.settling_both[1] > rows
    else:
        assert (paid.settling_seeds or 0) > 2 and (paid.settling_rows or 0) > rows


def test_models_that_answer_alike_are_not_proved_alike_by_few_rows() -> None:
    same = models(0.85, 60, 3, 2)
    paid = found(same, same)
    assert paid.verdict == "cannot tell" and paid.gain == 0 and paid.high > 0.01
