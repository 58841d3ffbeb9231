"""Behaviour tests in the gate: exact bounds decide, and UNDECIDED says how many more cases settle it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gate.evidence import evidence, labels
from tunegate.behaviour.results import Behaviour, TestResult, bounds
from tunegate.gate import combine, judge
from tunegate.gate.behaviour import judged


def result(failures: int, n: int, tolerated: float = 0.05, name: str = "typos") -> TestResult:
    return TestResult(
        name=name, kind="invariance", what="typos do not change the answer", tolerated=tolerated,
        n=n, failures=failures, examples=[], **bounds(failures, n),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("failures", "n", "verdict"),
    [(0, 100, "PASS"), (0, 59, "PASS"), (0, 58, "UNDECIDED"), (0, 0, "UNDECIDED"), (1, 1, "UNDECIDED"),
     (5, 100, "UNDECIDED"), (10, 100, "FAIL"), (100, 100, "FAIL"), (3, 300, "PASS")],
)  # fmt: skip
def test_bounds_decide_not_the_rate(failures, n, verdict):
    assert judged(result(failures, n)).verdict == verdict


def test_a_test_that_tolerates_none_asks_for_its_cases_alone():
    assert judged(result(0, 3, 0.0)).verdict == "PASS"
    assert judged(result(1, 1000, 0.0)).verdict == "FAIL"
    assert judged(result(0, 0, 0.0)).verdict == "UNDECIDED"


def test_undecided_says_how_many_more_cases_settle_it():
    check = judged(result(1, 40))
    assert check.verdict == "UNDECIDED"
    assert check.more_rows and f"{check.more_rows:,} more cases" in check.remedy
    assert judged(result(5, 100)).more_rows is None  # the share lies on what is tolerated


@given(failures=st.integers(0, 40), rows=st.integers(41, 400), seed=st.integers(0, 9))
def test_the_cases_asked_for_mostly_settle_it(failures, rows, seed):
    check = judged(result(failures, rows, 0.1))
    if check.verdict != "UNDECIDED" or check.more_rows is None or check.more_rows > 5000:
        return
    random = np.random.default_rng(seed)
    total = rows + check.more_rows
    drawn = random.binomial(total, failures / rows, size=60)
    settled = sum(judged(result(int(number), total, 0.1)).verdict != "UNDECIDED" for number in drawn)
    assert settled >= 0.6 * 60  # four times in five, give or take what 60 draws know


def test_the_worst_precision_speaks_and_every_test_has_a_check():
    truth = labels(400)
    found = Behaviour(
        file="behaviour/demo.yaml",
        hash="0",
        precisions={
            "bf16": [result(0, 100), result(0, 100, name="case")],
            "fp32": [result(0, 100), result(40, 100, name="case")],
        },
    )
    checks = judge(replace(evidence(truth, truth, {"majority": ["label 0"] * 400}), behaviour=found))
    by_name = {check.name: check for check in checks}
    assert by_name["behaviour:typos"].verdict == "PASS"
    assert by_name["behaviour:case"].verdict == "FAIL" and by_name["behaviour:case"].precision == "fp32"
    assert combine(checks) == "FAIL"


def test_without_a_file_there_is_no_check():
    truth = labels(400)
    assert not [c for c in judge(evidence(truth, truth, {"majority": truth})) if c.name.startswith("behaviour")]
