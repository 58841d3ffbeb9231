"""A batch of new rows that does not fit is named, with its lines; rows like the old ones are let through."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from tests.gate.evidence import evidence
from tunegate.gate import CHECKS
from tunegate.gate.arrived import Arrived
from tunegate.gate.new_rows import new_rows_fit


def arrived(known: tuple[int, int], *batches: tuple[int, int]) -> Arrived:
    """(right, rows) of the rows known before, then of each batch, line by line in one file."""
    random = np.random.default_rng(1)
    right = np.concatenate([random.permutation(np.arange(rows) < hits) for hits, rows in (known, *batches)])
    new = np.arange(len(right)) >= known[1]
    rows = pa.table({"source": ["a.csv"] * len(right), "source_line": np.arange(len(right)) + 2})
    return Arrived(rows, new, right, np.full(len(right), 0.8))


def judged(found: Arrived | None, **settings: Any) -> Any:
    made = evidence(["a", "b"] * 40, ["a", "b"] * 40, {"majority": ["a"] * 80}, **settings)
    return new_rows_fit(replace(made, arrived=found))


def test_a_careless_batch_fails_and_its_lines_are_named() -> None:
    [check] = judged(arrived((320, 400), (24, 30), (23, 30), (10, 30)))
    assert check.verdict == "FAIL" and "lines 462 to 491" in check.reason and "33.3% of 30" in check.reason
    assert "46" in check.remedy and check.low > 0.15


def test_rows_like_the_old_ones_pass_however_many_batches() -> None:
    [check] = judged(arrived((320, 400), *[(32, 40)] * 12))
    assert check.verdict == "PASS" and check.remedy == ""


def test_a_careless_batch_is_seen_among_many_good_ones() -> None:
    [check] = judged(arrived((800, 1000), *[(40, 50)] * 5, (10, 50), *[(40, 50)] * 6))
    assert check.verdict == "FAIL"


def test_an_honest_batch_is_blocked_hardly_ever() -> None:
    random = np.random.default_rng(3)
    draws = [(int(random.binomial(400, 0.8)), random.binomial(40, 0.8, 4)) for _ in range(300)]
    verdicts = [judged(arrived((known, 400), *[(int(hits), 40) for hits in new]))[0].verdict for known, new in draws]
    assert verdicts.count("FAIL") == 0  # the limit of 15 points comes on top of the 5 %


def test_few_new_rows_or_an_unknown_past_ask_nothing() -> None:
    assert judged(arrived((320, 400), (0, 29))) == []
    assert judged(arrived((20, 29), (0, 400))) == []
    assert judged(None) == []
    assert judged(arrived((320, 400), (0, 40)), max_new_rows_gap=None) == []


def test_the_gate_asks_it() -> None:
    assert CHECKS["new rows"] is new_rows_fit
