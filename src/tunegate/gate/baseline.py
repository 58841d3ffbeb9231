"""Is the candidate better than what little effort gives? Decided by one-sided bounds of the paired difference.

PASS when it is surely better than the baseline by more than `gate.baseline_margin`. FAIL when it is not, and surely
brings less than a gain worth having (`gate.worthwhile_gain`, a share of the baseline's errors): such a candidate
ties with the baseline at best, and with enough rows every tie ends here. Else UNDECIDED. See
docs/decisions/0007-ties-with-a-baseline-fail.md.
"""

from dataclasses import dataclass

from tunegate.errors import UserError, did_you_mean
from tunegate.evaluation.findings import Comparison
from tunegate.gate.checks import Check, Evidence, Verdict, ask_for_rows, more_rows, worst
from tunegate.statistics.proportions import Paired
from tunegate.statistics.rows_needed import for_difference, for_estimate


def beats_baselines(evidence: Evidence) -> list[Check]:
    """One check per baseline that must be beaten. Raises UserError for a name that no baseline of the task has."""
    known = list(evidence.findings.baselines)
    wanted = known if evidence.settings.baselines is None else evidence.settings.baselines
    for name in wanted:
        if name not in known:
            raise UserError(
                f'gate.baselines: there is no baseline "{name}".{did_you_mean(name, known)}',
                f"Choose among: {', '.join(known)}.",
            )
    return [
        worst(_compared(evidence, pair) for pair in evidence.findings.comparisons if pair.baseline == name)
        for name in wanted
    ]


def _compared(evidence: Evidence, pair: Comparison) -> Check:
    found, settings = evidence.findings, evidence.settings
    gain = _Gain.of(pair, found.higher_is_better)
    baseline = found.models[pair.baseline].metrics[found.primary.name].value
    worthwhile = max(evidence.baseline_margin, settings.worthwhile_gain * _room(baseline, found.higher_is_better))
    verdict = _decide(gain, evidence.baseline_margin, worthwhile)
    missing = _missing(pair, gain, evidence.baseline_margin, worthwhile) if verdict == "UNDECIDED" else None
    difference = pair.difference
    return Check(
        name=f"baseline:{pair.baseline}",
        verdict=verdict,
        reason=_reason(verdict, evidence, pair, worthwhile),
        remedy=_remedy(verdict, missing),
        estimate=difference.value,
        low=difference.low,
        high=difference.high,
        threshold=evidence.baseline_margin,
        n=difference.n,
        more_rows=missing,
        precision=pair.precision,
    )


@dataclass(frozen=True)
class _Gain:
    """How much better the candidate is, with one-sided bounds; upwards is better, whatever the metric's direction."""

    lower: float
    value: float
    upper: float

    @classmethod
    def of(cls, pair: Comparison, higher_is_better: bool) -> "_Gain":
        found = pair.difference
        if higher_is_better:
            return cls(found.lower, found.value, found.upper)
        return cls(-found.upper, -found.value, -found.lower)


def _room(baseline: float, higher_is_better: bool) -> float:
    """What is left to gain over the baseline: up to 1 for shares and scores, down to 0 for losses."""
    return max(0.0, 1 - baseline) if higher_is_better else max(0.0, baseline)


def _decide(gain: _Gain, margin: float, worthwhile: float) -> Verdict:
    if gain.lower > margin:
        return "PASS"
    return "FAIL" if gain.upper < worthwhile else "UNDECIDED"


def _missing(pair: Comparison, gain: _Gain, margin: float, worthwhile: float) -> int | None:
    """Rows until it is surely better, or surely not worth it, whichever comes first."""
    targets = [margin] if gain.value > margin else []
    targets += [worthwhile] if gain.value < worthwhile else []
    rows = pair.difference.n
    if pair.wins is not None and pair.losses is not None:
        totals = [for_difference(Paired(pair.wins, pair.losses, rows), target) for target in targets]
    else:
        totals = [for_estimate(rows, abs(gain.value - target), (gain.upper - gain.lower) / 2) for target in targets]
    return more_rows(min((total for total in totals if total is not None), default=None), rows)


def _reason(verdict: Verdict, evidence: Evidence, pair: Comparison, worthwhile: float) -> str:
    found, difference = evidence.findings, pair.difference
    name, what = found.primary.name, found.models[pair.baseline].what
    margin = f" by more than {evidence.baseline_margin:g}" if evidence.baseline_margin else ""
    told = {
        "PASS": f"surely better{margin} than {pair.baseline}",
        "FAIL": f"not shown better{margin} than {pair.baseline}, and surely not by the {worthwhile:.3f} worth having",
        "UNDECIDED": f"not yet surely better{margin} than {pair.baseline}, nor surely no better",
    }
    return (
        f"{told[verdict]} ({what}): {name} differs by {difference.value:+.3f} "
        f"(bounds {difference.lower:+.3f} to {difference.upper:+.3f}, {difference.n:,} rows)."
    )


def _remedy(verdict: Verdict, missing: int | None) -> str:
    if verdict == "PASS":
        return ""
    if verdict == "FAIL":
        return (
            "Check that labels belong to their texts, add training rows or train longer; if the cheap baseline is as "
            "good, use it instead."
        )
    if missing is None:
        return (
            "Rows like these will not tell the two apart, however many: label harder ones, leave the baseline out of "
            "gate.baselines, or let a person decide."
        )
    return ask_for_rows(missing)
