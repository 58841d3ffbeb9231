"""What the gate says of good, bad, tied and untested models."""

import pytest

from tests.gate.evidence import evidence, labels, named, right
from tunegate.errors import UserError
from tunegate.evaluation.findings import Times
from tunegate.evaluation.scores import share
from tunegate.gate import CHECKS, combine, judge
from tunegate.gate.checks import Check, Verdict, at_least

TRUTH = labels(400)
GOOD = right(TRUTH, 0.9)
WEAK = right(TRUTH, 0.6, seed=5)
MAJORITY = ["label 0"] * 400


def test_a_model_that_is_clearly_better_passes_everything() -> None:
    checks = judge(evidence(TRUTH, GOOD, {"majority": MAJORITY, "tfidf": WEAK}, floor=0.8))
    assert combine(checks) == "PASS"
    assert {check.name for check in checks} == {
        "data", "floor", "baseline:majority", "baseline:tfidf", "calibration",
    }  # fmt: skip
    assert not any(check.remedy for check in checks)


def test_a_model_trained_on_shuffled_labels_fails_without_any_floor() -> None:
    """It ties with baselines that saw the same shuffled labels: more rows would only confirm it."""
    for seed in range(20):
        chance = right(TRUTH, 0.25, seed=seed)
        also_chance = right(TRUTH, 0.25, seed=100 + seed)
        checks = judge(evidence(TRUTH, chance, {"majority": MAJORITY, "tfidf": also_chance}, confidence=0.3))
        assert combine(checks) == "FAIL"


def test_a_model_that_always_says_the_majority_fails() -> None:
    checks = named(judge(evidence(TRUTH, MAJORITY, {"majority": MAJORITY, "tfidf": WEAK})))
    assert checks["baseline:majority"].verdict == checks["baseline:tfidf"].verdict == "FAIL"


def test_30_rows_are_undecided_and_ask_for_a_number_of_rows() -> None:
    truth = labels(30)
    perfect = evidence(truth, truth, {"majority": ["label 0"] * 30, "tfidf": right(truth, 0.95)}, floor=0.95)
    checks = judge(perfect)
    assert combine(checks) == "UNDECIDED"
    floor = named(checks)["floor"]
    assert floor.more_rows == 59 - 30
    assert "29 more test rows" in floor.remedy
    assert all("row" in check.remedy for check in checks if check.verdict == "UNDECIDED")


def test_the_rows_asked_for_bring_a_decision() -> None:
    """The same shares on as many rows in all as were asked for."""
    truth, most = labels(60), right(labels(60), 0.83, seed=1)
    first = named(judge(evidence(truth, most, {"majority": ["label 0"] * 60}, floor=0.75)))["floor"]
    assert first.verdict == "UNDECIDED" and first.more_rows is not None and first.estimate is not None
    rows = 60 + first.more_rows
    decided = 0
    for seed in range(20):
        longer = labels(rows)
        again = evidence(longer, right(longer, first.estimate, seed), {"majority": ["label 0"] * rows}, floor=0.75)
        decided += named(judge(again))["floor"].verdict == "PASS"
    assert decided >= 12


def test_a_floor_that_is_surely_missed_fails() -> None:
    assert named(judge(evidence(TRUTH, WEAK, {"majority": MAJORITY}, floor=0.8)))["floor"].verdict == "FAIL"


def test_the_worst_of_the_shipped_precisions_decides() -> None:
    both = evidence(TRUTH, {"bf16": GOOD, "fp32": WEAK}, {"majority": MAJORITY}, floor=0.8)
    floor = named(judge(both))["floor"]
    assert (floor.verdict, floor.precision) == ("FAIL", "fp32")


def test_a_margin_over_the_baseline_is_demanded_in_full() -> None:
    near = right(TRUTH, 0.85, seed=5)
    assert (
        named(judge(evidence(TRUTH, GOOD, {"tfidf": WEAK}, baseline_margin=0.15)))["baseline:tfidf"].verdict == "PASS"
    )
    assert named(judge(evidence(TRUTH, GOOD, {"tfidf": near}, baseline_margin=0.2)))["baseline:tfidf"].verdict == "FAIL"


def test_only_the_named_baselines_must_be_beaten() -> None:
    tied = evidence(TRUTH, GOOD, {"majority": MAJORITY, "tfidf": GOOD}, required=["majority"])
    assert combine(judge(tied)) == "PASS"


def test_a_baseline_that_does_not_exist_is_named_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r'there is no baseline "majorty"\. Did you mean "majority"\?'):
        judge(evidence(TRUTH, GOOD, {"majority": MAJORITY}, required=["majorty"]))


def test_a_perfect_baseline_is_never_beaten_and_the_remedy_says_so() -> None:
    tie = named(judge(evidence(TRUTH, TRUTH, {"tfidf": TRUTH})))["baseline:tfidf"]
    assert tie.verdict == "UNDECIDED" and tie.more_rows is None
    assert "gate.baselines" in tie.remedy


def test_test_rows_that_training_saw_fail() -> None:
    data = named(judge(evidence(TRUTH, GOOD, {"majority": MAJORITY}, seen=3)))["data"]
    assert data.verdict == "FAIL" and "3 of the 400" in data.reason


@pytest.mark.parametrize(
    ("confidence", "correct", "expected"), [(0.9, 0.9, "PASS"), (0.99, 0.5, "FAIL"), (0.95, 0.82, "UNDECIDED")]
)
def test_confidence_is_compared_with_what_is_right(confidence: float, correct: float, expected: str) -> None:
    checks = judge(evidence(TRUTH, right(TRUTH, correct), {"majority": MAJORITY}, confidence=confidence))
    assert named(checks)["calibration"].verdict == expected


@pytest.mark.parametrize(("p50", "p99", "expected"), [(5, 9, "PASS"), (5, 30, "UNDECIDED"), (25, 30, "FAIL")])
def test_latency_fails_by_its_median_and_passes_by_its_worst(p50: float, p99: float, expected: str) -> None:
    times = Times(tokens=128, p50_ms=p50, p99_ms=p99, repeats=50)
    found = evidence(TRUTH, GOOD, {"majority": MAJORITY}, times={"fp32": times}, max_latency_ms=20)
    latency = named(judge(found))["latency"]
    assert latency.verdict == expected
    assert f"{p99:g} ms" not in latency.reason


@pytest.mark.parametrize(("limit", "expected"), [(20, "PASS"), (10, "FAIL")])
def test_size_is_a_budget(limit: float, expected: str) -> None:
    size = named(judge(evidence(TRUTH, GOOD, {"majority": MAJORITY}, max_size_mb=limit)))["size"]
    assert size.verdict == expected


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["PASS", "PASS"], "PASS"),
        (["PASS", "UNDECIDED"], "UNDECIDED"),
        (["UNDECIDED", "FAIL", "PASS"], "FAIL"),
        ([], "UNDECIDED"),
    ],
)
def test_one_failure_fails_and_only_all_passes_pass(verdicts: list[Verdict], expected: Verdict) -> None:
    assert combine([Check(name="x", verdict=verdict, reason="") for verdict in verdicts]) == expected


def test_every_check_says_all_that_a_person_needs() -> None:
    settings = {"floor": 0.9, "max_latency_ms": 1, "max_size_mb": 1}
    checks = judge(evidence(TRUTH, WEAK, {"majority": MAJORITY}, **settings))
    of_others = {"no regression", "no erosion", "slices", "new rows", "behaviour"}  # what they need, other tests give
    assert {check.name.partition(":")[0] for check in checks} == set(CHECKS) - of_others
    for check in checks:
        assert check.reason and check.estimate is not None and check.threshold is not None
        assert check.remedy or check.verdict == "PASS"


@pytest.mark.parametrize("rows", [30, 120, 400])
def test_a_model_exactly_at_its_floor_passes_and_fails_as_rarely_as_the_gate_says(rows: int) -> None:
    """All outcomes, each with its probability."""
    from scipy.stats import binom

    chance = dict.fromkeys(("PASS", "FAIL", "UNDECIDED"), 0.0)
    for count in range(rows + 1):
        chance[at_least(share(count, rows), 0.8)] += float(binom.pmf(count, rows, 0.8))
    assert chance["PASS"] <= 0.05 and chance["FAIL"] <= 0.05


@pytest.mark.parametrize(
    ("temperature", "advice"),
    [
        (0.0501, "trained too little. Raise train.epochs"),
        (19.99, "Lower train.epochs"),
        (1.3, "give validation more rows"),
        (None, "give validation more rows"),
    ],
)
def test_what_mends_confidence_depends_on_how_the_fit_of_the_temperature_ended(
    temperature: float | None, advice: str
) -> None:
    found = evidence(
        TRUTH, GOOD, {"majority": MAJORITY}, confidence=0.3, temperatures={"fp32": temperature} if temperature else {}
    )
    check = named(judge(found))["calibration"]
    assert check.verdict == "FAIL" and advice in check.remedy
