"""Checks on what the model costs: milliseconds and megabytes. Reasons hold no measured time (verdicts are hashed)."""

from tunegate.errors import UserError
from tunegate.evaluation.findings import Times
from tunegate.gate.checks import Check, Evidence, Verdict, worst
from tunegate.params import Precision


def latency_within_budget(evidence: Evidence) -> list[Check]:
    """p99 of one record at the longest measured length against `gate.max_latency_ms`. Raises UserError without one."""
    limit = evidence.settings.max_latency_ms
    if limit is None:
        return []
    missing = evidence.findings.candidates.keys() - {name for name, times in evidence.latency.times.items() if times}
    if missing:
        raise UserError(
            f"gate.max_latency_ms is set, but latency.json holds no times for {', '.join(sorted(missing))}.",
            "Set evaluate.latency_lengths to at least one length and run again.",
        )
    return [worst(_latency(name, times[-1], limit) for name, times in evidence.latency.times.items())]


def _latency(precision: Precision, times: Times, limit: float) -> Check:
    """A median over the budget is no accident of the machine; a p99 alone may be."""
    verdict: Verdict = "PASS" if times.p99_ms <= limit else "FAIL" if times.p50_ms > limit else "UNDECIDED"
    said = {
        "PASS": "p99 is within",
        "FAIL": "even the median is over",
        "UNDECIDED": "the median is within and p99 over",
    }
    remedy = {
        "PASS": "",
        "FAIL": "Take a smaller base model, a smaller tokenize.max_length, or raise gate.max_latency_ms.",
        "UNDECIDED": "Measure again while the machine does nothing else (rows do not matter here): "
        "tunegate run --force evaluate.",
    }
    return Check(
        name="latency",
        verdict=verdict,
        reason=f"one record of {times.tokens} tokens, one thread: {said[verdict]} the {limit:g} ms allowed.",
        remedy=remedy[verdict],
        estimate=times.p99_ms,
        low=times.p50_ms,
        high=times.p99_ms,
        threshold=limit,
        n=times.repeats,
        precision=precision,
    )


def size_within_budget(evidence: Evidence) -> list[Check]:
    """The exported files against `gate.max_size_mb`."""
    limit, size = evidence.settings.max_size_mb, evidence.findings.megabytes
    if limit is None:
        return []
    fits = size <= limit
    return [
        Check(
            name="size",
            verdict="PASS" if fits else "FAIL",
            reason=f"the exported files take {size:.1f} MB of the {limit:g} MB allowed.",
            remedy="" if fits else "Take a smaller base model, or raise gate.max_size_mb.",
            estimate=size,
            threshold=limit,
        )
    ]
