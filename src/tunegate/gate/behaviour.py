"""Behaviour tests of the user's own: is the share of failing cases surely within what each test tolerates?

Exact one-sided bounds of the share decide. A test that tolerates none claims nothing beyond its cases: all must hold.
"""

from tunegate.behaviour.results import TestResult
from tunegate.evaluation.findings import Estimate
from tunegate.gate.checks import Check, Evidence, Verdict, at_most, more_rows, worst
from tunegate.params import Precision
from tunegate.statistics.rows_needed import for_share


def behaves(evidence: Evidence) -> list[Check]:
    """One check per test, by the precision that does worst. None where no tests are set."""
    if evidence.behaviour is None:
        return []
    by_precision = evidence.behaviour.precisions
    return [
        worst(judged(results[number], precision) for precision, results in by_precision.items())
        for number in range(len(next(iter(by_precision.values()))))
    ]


def judged(result: TestResult, precision: Precision | None = None) -> Check:
    """What one test's result says."""
    verdict = _decide(result)
    missing = _missing(result) if verdict == "UNDECIDED" else None
    return Check(
        name=f"behaviour:{result.name}",
        verdict=verdict,
        reason=_reason(result, verdict),
        remedy=_remedy(result, verdict, missing),
        estimate=result.rate,
        low=result.low,
        high=result.high,
        threshold=result.tolerated,
        n=result.n,
        more_rows=missing,
        precision=precision,
    )


def _decide(result: TestResult) -> Verdict:
    if result.rate is None:
        return "UNDECIDED"
    if result.tolerated == 0:
        return "FAIL" if result.failures else "PASS"
    return at_most(_estimate(result), result.tolerated)


def _estimate(result: TestResult) -> Estimate:
    numbers = (result.rate, result.low, result.high, result.lower, result.upper)
    value, low, high, lower, upper = (float("nan") if number is None else number for number in numbers)
    return Estimate(value=value, low=low, high=high, lower=lower, upper=upper, n=result.n)


def _missing(result: TestResult) -> int | None:
    """Cases until the share is surely within what is tolerated, or surely not, if the next ones are like these."""
    if result.rate is None:
        return for_share(0.0, result.tolerated) if result.tolerated else 1
    return more_rows(for_share(result.rate, result.tolerated), result.n)


def _reason(result: TestResult, verdict: Verdict) -> str:
    if result.rate is None:
        return f"{result.what}: there was no case to ask."
    counted = f"{result.failures:,} of {result.n:,} {'case fails' if result.n == 1 else 'cases fail'}"
    if result.tolerated == 0:
        return f"{result.what}: {counted}, none may."
    side, bound = ("lower", result.lower) if verdict == "FAIL" else ("upper", result.upper)
    said = {"PASS": "surely at most", "FAIL": "surely more than", "UNDECIDED": "not yet surely at most"}[verdict]
    return f"{result.what}: {counted}, {said} {100 * result.tolerated:g} % ({side} bound {100 * (bound or 0):.1f} %)."


def _remedy(result: TestResult, verdict: Verdict, missing: int | None) -> str:
    if verdict == "PASS":
        return ""
    if verdict == "FAIL":
        return (
            "Look at the failing cases in evaluate/behaviour.json, add training rows like them, or tolerate more of "
            "them in the file if that is what you meant."
        )
    if result.rate is None:
        return "Give the test templates, or rows in which there is something to change."
    if missing is None:
        return "More cases like these would not settle it: the share lies on what is tolerated. Let a person decide."
    cases = "1 more case" if missing == 1 else f"about {missing:,} more cases"
    return (
        f"Give the test {cases} (a larger `rows` or `count`, more templates or words): that settles it four times in "
        "five."
    )
