"""Is the candidate no worse than the champion, and than the best version ever? By more than `gate.margin`, that is.

Decided by one-sided 5 % bounds of the paired difference on the rows that count for both: a model that is worse by the
margin passes at most once in twenty times. That it is *better* decides nothing here and is reported apart.
"""

from typing import Literal

from tunegate.evaluation.findings import Comparison, Estimate, VersionFound
from tunegate.gate.checks import Check, Evidence, Verdict, ask_for_rows, worst
from tunegate.statistics.noninferiority import Bounds, Decision, decide, decide_by
from tunegate.statistics.proportions import Paired

NAMES: dict[Literal["champion", "best"], str] = {"champion": "no regression", "best": "no erosion"}


def no_regression(evidence: Evidence) -> list[Check]:
    """Against the version in production; none where there is none yet."""
    return _compared(evidence, "champion")


def no_erosion(evidence: Evidence) -> list[Check]:
    """Against the best version ever, so that small losses cannot add up; none where that is the champion itself."""
    return _compared(evidence, "best")


def improved(evidence: Evidence, name: Literal["champion", "best"]) -> bool | None:
    """Whether the precision that serves is surely better (one-sided, 5 %); None where nothing could be compared."""
    version = evidence.findings.version(name)
    if version is None or version.problem or (not version.comparisons and not version.identical):
        return None
    return False if version.identical else bounds(evidence, version.comparisons[0]).lower > 0


def bounds(evidence: Evidence, pair: Comparison) -> Bounds:
    """The difference with upwards as better, whatever the metric's direction."""
    found = pair.difference
    if evidence.findings.higher_is_better:
        return Bounds(found.value, found.lower, found.upper, found.low, found.high, found.n)
    return Bounds(-found.value, -found.upper, -found.lower, -found.high, -found.low, found.n)


def _compared(evidence: Evidence, name: Literal["champion", "best"]) -> list[Check]:
    version = next((found for found in evidence.findings.versions if found.name == name), None)
    if version is None or version.same_as:
        return []
    if version.problem:
        return [_not_compared(evidence, version)]
    if version.identical:
        return [_identical(evidence, version)]
    if not version.rows:
        return [_no_rows(evidence, version)]
    return [worst(_check(evidence, version, pair) for pair in version.comparisons)]


def _check(evidence: Evidence, version: VersionFound, pair: Comparison) -> Check:
    margin, difference = evidence.margin, pair.difference
    decision = _decide(evidence, pair, margin)
    return Check(
        name=NAMES[version.name],
        verdict=decision.verdict,
        reason=_reason(evidence, version, pair, decision),
        remedy=_remedy(version, decision),
        estimate=difference.value,
        low=difference.low,
        high=difference.high,
        threshold=-margin if evidence.findings.higher_is_better else margin,
        n=difference.n,
        more_rows=decision.more_rows,
        precision=pair.precision,
    )


def _decide(evidence: Evidence, pair: Comparison, margin: float) -> Decision:
    if pair.wins is not None and pair.losses is not None:
        return decide(Paired(pair.wins, pair.losses, pair.difference.n), margin)
    return decide_by(bounds(evidence, pair), margin)


def _reason(evidence: Evidence, version: VersionFound, pair: Comparison, decision: Decision) -> str:
    margin, difference = f"{evidence.margin:.3g}", pair.difference
    said: dict[Verdict, str] = {
        "PASS": f"surely at most {margin} worse than {version.title}",
        "FAIL": f"surely more than {margin} worse than {version.title}",
        "UNDECIDED": f"neither surely at most {margin} worse than {version.title}, nor surely more",
    }
    better = ", and surely better" if bounds(evidence, pair).lower > 0 else ""
    told_apart = ""
    if pair.wins is not None and pair.losses is not None:
        told_apart = f"; only the candidate is right on {pair.wins:,}, only {version.title} on {pair.losses:,}"
    return (
        f"{said[decision.verdict]}{better}: {evidence.findings.primary.name} differs by "
        f"{_span(difference)}, {difference.n:,} rows{told_apart}).{left_out(version)}"
    )


def _span(difference: Estimate) -> str:
    return f"{difference.value:+.4f} (bounds {difference.lower:+.4f} to {difference.upper:+.4f}"


def left_out(version: VersionFound) -> str:
    """A sentence on the rows that do not count, or nothing."""
    found = version.left_out
    learnt = found.trained_on_by_id + found.trained_on_by_text
    parts = [f"{learnt:,} that one of the two has learnt from"] if learnt else []
    parts += [f"{found.label_unknown:,} whose label {version.title} does not know"] if found.label_unknown else []
    return f" Left out: {' and '.join(parts)}." if parts else ""


def _remedy(version: VersionFound, decision: Decision) -> str:
    if decision.verdict == "PASS":
        return ""
    if decision.verdict == "FAIL":
        return (
            f"Keep {version.title}: look at the slices and at the rows that only it answers right, correct or add "
            "training rows like them, and train again."
        )
    return ask_for_rows(decision.more_rows)


def _not_compared(evidence: Evidence, version: VersionFound) -> Check:
    return Check(
        name=NAMES[version.name],
        verdict="UNDECIDED",
        reason=f"not compared: {version.problem}.",
        remedy=version.remedy,
        threshold=evidence.margin,
        n=0,
    )


def _identical(evidence: Evidence, version: VersionFound) -> Check:
    return Check(
        name=NAMES[version.name],
        verdict="PASS",
        reason=f"the candidate's files are those of {version.title}, byte for byte: there is nothing to estimate.",
        estimate=0.0,
        low=0.0,
        high=0.0,
        threshold=-evidence.margin if evidence.findings.higher_is_better else evidence.margin,
        n=version.rows,
    )


def _no_rows(evidence: Evidence, version: VersionFound) -> Check:
    decision = decide(Paired(0, 0, 0), evidence.settings.margin)
    return Check(
        name=NAMES[version.name],
        verdict="UNDECIDED",
        reason=f"no test row is left to compare with {version.title}.{left_out(version)}",
        remedy=ask_for_rows(decision.more_rows),
        threshold=evidence.margin,
        n=0,
        more_rows=decision.more_rows,
    )
