"""Is a part of the rows harmed, however good the whole is? One check over all slices.

A slice too small to rule out a loss of `gate.slice_margin` is reported with the rows it needs, and holds the verdict
only where it is listed as critical.
"""

from collections.abc import Sequence

from tunegate.gate.checks import Check, Evidence, Verdict
from tunegate.gate.sliced import Slice
from tunegate.statistics.proportions import ONE_SIDED

NAMED = 5  # slices that a reason names; all are in the report


def no_slice_harmed(evidence: Evidence) -> list[Check]:
    """One check over all slices; where there is nothing to compare with or nothing to cut, of missing rows only."""
    found = evidence.slices
    if not found:
        return [_without_rows(evidence.unseen)] if evidence.unseen else []
    harmed = [part for part in found if part.state == "harmed"]
    small = [part for part in found if part.state == "too_small"]
    held = [part for part in small if part.critical]
    verdict: Verdict = "FAIL" if harmed else "UNDECIDED" if held else "PASS"
    lowest = min(found, key=lambda part: (part.adjusted, part.p_value))
    return [
        Check(
            name="slices",
            verdict=verdict,
            reason=_reason(evidence.slice_margin, found, harmed, held),
            remedy=_remedy(harmed, held),
            estimate=lowest.adjusted,
            threshold=ONE_SIDED,
            n=sum(part.n for part in found if part.name == lowest.name),
            more_rows=max((part.more_rows or 0 for part in held), default=0) or None if verdict != "FAIL" else None,
        )
    ]


def _without_rows(unseen: Sequence[str]) -> Check:
    """A name with a slip in it would else guard nothing, unseen."""
    return Check(
        name="slices",
        verdict="UNDECIDED",
        reason=f"no test row is in {len(unseen)} of the critical slices: {', '.join(unseen[:NAMED])} (0 rows).",
        remedy="Correct the name in gate.critical_slices, add rows that belong there, or take it out.",
        n=0,
    )


def _reason(margin: float, found: list[Slice], harmed: list[Slice], held: list[Slice]) -> str:
    small = [part for part in found if part.state == "too_small"]
    if harmed:
        return f"{len(harmed)} of {len(found)} slices are surely harmed: {_listed(harmed)}."
    if held:
        return (
            f"no slice is surely harmed, but {len(held)} critical ones are too small to rule out a loss of "
            f"{margin:.3g}: {_listed(held)}."
        )
    some = f"; {len(small)} are too small to rule out a loss of {margin:.3g}" if small else ""
    return f"none of {len(found)} slices is surely harmed{some}."


def _listed(parts: list[Slice]) -> str:
    named = [
        f"{part.name} ({part.n:,} rows: {_changed(part)}, adjusted p {part.adjusted:.2g})" for part in parts[:NAMED]
    ]
    return ", ".join(named) + (f" and {len(parts) - NAMED} more" if len(parts) > NAMED else "")


def _better(part: Slice) -> str:
    return "only the champion answers right" if part.of == "shares" else "the champion answers more closely"


def _changed(part: Slice) -> str:
    if part.of == "shares" or part.difference is None:
        return f"{part.losses} broken, {part.wins} fixed"
    return f"error {abs(part.difference.value):.3g} {'larger' if part.difference.value < 0 else 'smaller'}"


def _remedy(harmed: list[Slice], held: list[Slice]) -> str:
    if harmed:
        return (
            f"Look at the rows of {harmed[0].name} that {_better(harmed[0])}; correct their labels or add "
            "training rows like them."
        )
    if not held:
        return ""
    asked = [f"{part.more_rows:,} more rows of {part.name}" for part in held[:NAMED] if part.more_rows]
    if not asked:
        return "No number of rows like these would settle it: let a person decide, or take it off gate.critical_slices."
    return f"Label about {', '.join(asked)}: that settles it four times in five."
