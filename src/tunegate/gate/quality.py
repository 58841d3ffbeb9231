"""Checks on the candidate alone: rows it never saw, a floor for its metric, a limit for its confidence's error."""

from tunegate.evaluation.findings import Estimate
from tunegate.gate.checks import Check, Evidence, Verdict, ask_for_rows, at_least, at_most, more_rows, worst
from tunegate.params import Precision
from tunegate.statistics.calibration import at_bound
from tunegate.statistics.rows_needed import for_estimate, for_share

SAID: dict[Verdict, str] = {"PASS": "is surely", "FAIL": "is surely not", "UNDECIDED": "is not yet surely"}


def unseen_rows(evidence: Evidence) -> list[Check]:
    """A model that has read the answers proves nothing."""
    found = evidence.findings
    clean = found.seen_in_training == 0
    return [
        Check(
            name="data",
            verdict="PASS" if clean else "FAIL",
            reason=f"{found.seen_in_training or 'none'} of the {found.rows:,} test rows stands in the training rows.",
            remedy="" if clean else "Leave the check LEAK_EXACT on (validate.checks), which takes such rows out.",
            estimate=found.seen_in_training,
            threshold=0,
            n=found.rows,
        )
    ]


def reaches_floor(evidence: Evidence) -> list[Check]:
    """The primary metric against `gate.floor`."""
    floor, found = evidence.settings.floor, evidence.findings
    if floor is None:
        return []
    return [
        worst(
            _floor(evidence, precision, scores.metrics[found.primary.name], floor)  # type: ignore[arg-type]
            for precision, scores in found.candidates.items()
        )
    ]


def _floor(evidence: Evidence, precision: Precision, estimate: Estimate, floor: float) -> Check:
    found = evidence.findings
    upwards = found.higher_is_better
    verdict = at_least(estimate, floor) if upwards else at_most(estimate, floor)
    missing = None
    if verdict == "UNDECIDED":
        exact = for_share(estimate.value, floor) if found.proportion else None
        half = max(estimate.value - estimate.lower, estimate.upper - estimate.value)
        rough = for_estimate(estimate.n, abs(estimate.value - floor), half)
        missing = more_rows(exact if found.proportion else rough, estimate.n)
    bound, side = (estimate.lower, "lower") if (verdict != "FAIL") == upwards else (estimate.upper, "upper")
    return Check(
        name="floor",
        verdict=verdict,
        reason=(
            f"{found.primary.name} {estimate.value:.3f} {SAID[verdict]} {'at least' if upwards else 'at most'} "
            f"{floor:g}: its {side} bound is {bound:.3f} ({estimate.n:,} rows)."
        ),
        remedy=_floor_remedy(verdict, missing),
        estimate=estimate.value,
        low=estimate.low,
        high=estimate.high,
        threshold=floor,
        n=estimate.n,
        more_rows=missing,
        precision=precision,
    )


def _floor_remedy(verdict: Verdict, missing: int | None) -> str:
    if verdict == "PASS":
        return ""
    if verdict == "FAIL":
        return "Look at the surest mistakes in evaluate's report, correct or add training rows, or train longer."
    return ask_for_rows(missing)


def calibrated(evidence: Evidence) -> list[Check]:
    """The expected calibration error against `gate.max_calibration_error`."""
    limit = evidence.settings.max_calibration_error
    if limit is None:
        return []
    return [
        worst(
            _calibration(evidence, precision, scores.calibration_error, limit)  # type: ignore[arg-type]
            for precision, scores in evidence.findings.candidates.items()
        )
    ]


def _calibration_remedy(temperature: float | None) -> str:
    """By what the fit on validation rows came to: only a fit that has an optimum can be mended by more rows."""
    bound = at_bound(temperature) if temperature is not None else None
    if bound == "lowest":
        return (
            f"The temperature ended at its lower bound ({temperature:.3g}): the model's scores hardly differ, so it is "
            "trained too little. Raise train.epochs or train.learning_rate (with `tune: head`, the head's)."
        )
    if bound == "highest":
        return (
            f"The temperature ended at its upper bound ({temperature:.3g}): the model is sure and wrong even on "
            "validation rows. Lower train.epochs or train.learning_rate, and look at the labels of its surest mistakes."
        )
    return (
        "The temperature fits the validation rows, and these do not stand for the test rows: give validation more rows "
        "like them (split.validation), or look at what the rows of the two splits do not share."
    )


def _calibration(evidence: Evidence, precision: Precision, estimate: Estimate, limit: float) -> Check:
    verdict = at_most(estimate, limit)
    missing, remedy = None, ""
    if verdict == "UNDECIDED":
        half = max(estimate.upper - estimate.value, estimate.value - estimate.lower)
        missing = more_rows(for_estimate(estimate.n, abs(limit - estimate.value), half), estimate.n)
        remedy = ask_for_rows(missing)
    elif verdict == "FAIL":
        remedy = _calibration_remedy(evidence.temperatures.get(precision))
    return Check(
        name="calibration",
        verdict=verdict,
        reason=(
            f"confidence and share of right answers lie {estimate.value:.3f} apart, which {SAID[verdict]} at most "
            f"{limit:g} (bounds {estimate.lower:.3f} to {estimate.upper:.3f}, {estimate.n:,} rows)."
        ),
        remedy=remedy,
        estimate=estimate.value,
        low=estimate.low,
        high=estimate.high,
        threshold=limit,
        n=estimate.n,
        more_rows=missing,
        precision=precision,
    )
