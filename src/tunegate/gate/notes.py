"""What a reader of the verdict should know and what decides nothing: comparisons that were not made, rows that were
left out, slices that are too small."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tunegate.evaluation.findings import VersionFound
from tunegate.gate.against import NAMES
from tunegate.gate.checks import Evidence
from tunegate.gate.sliced import Slice

MISSING: dict[Literal["champion", "best"], str] = {
    "champion": "no version is in production yet, so there is no champion to compare with.",
    "best": "no version is registered yet, so there is no best one to compare with.",
}


class Note(BaseModel):
    """`name` is a check's (`no regression`) or a slice's (`label=refunds`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    reason: str
    more_rows: int | None = None


class Compared(BaseModel):
    """A version that the candidate was compared with, or was not for the `problem` named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: Literal["champion", "best"]
    version: str | None
    run: str | None
    hash: str
    rows: int
    left_out: dict[str, int]
    same_as: Literal["champion", "best"] | None = None
    problem: str = ""


def compared_with(evidence: Evidence) -> list[Compared]:
    """Champion and best version, where there are any; where both are one, both with the champion's rows."""
    return [_compared(found, evidence.findings.version(found.name) or found) for found in evidence.findings.versions]


def _compared(version: VersionFound, asked: VersionFound) -> Compared:
    return Compared(
        reference=version.name,
        version=version.version,
        run=version.run,
        hash=version.hash,
        rows=asked.rows,
        left_out=asked.left_out.model_dump(),
        same_as=version.same_as,
        problem=asked.problem,
    )


def notes(evidence: Evidence) -> list[Note]:
    """Comparisons first, then slices, those that need the fewest rows first."""
    return [*_of_versions(evidence), *_of_slices(evidence)]


def _of_versions(evidence: Evidence) -> Iterator[Note]:
    found = {version.name: version for version in evidence.findings.versions}
    for name, check in NAMES.items():
        version = found.get(name)
        if version is None:
            yield Note(name=check, reason=MISSING[name])
        elif version.same_as:
            yield Note(name=check, reason=f"{version.title} is the champion itself: see {NAMES[version.same_as]}.")
        else:
            yield from (Note(name=check, reason=reason) for reason in _remarks(version))


def _remarks(version: VersionFound) -> Iterator[str]:
    if version.note:
        yield f"of {version.title}: {version.note}."
    if version.labels_added:
        yield f"the candidate knows labels that {version.title} does not: {_few(version.labels_added)}."
    if version.labels_gone:
        yield f"{version.title} knows labels that the candidate does not: {_few(version.labels_gone)}."


def _of_slices(evidence: Evidence) -> list[Note]:
    small = [part for part in evidence.slices if part.state == "too_small"]
    return [
        Note(name=part.name, reason=_too_small(part, evidence.slice_margin), more_rows=part.more_rows)
        for part in sorted(small, key=lambda part: (not part.critical, part.more_rows is None, part.more_rows or 0))
    ]


def _too_small(part: Slice, margin: float) -> str:
    needs = f"about {part.more_rows:,} more would" if part.more_rows else "no number of rows like these would"
    held = ", and it is critical" if part.critical else ""
    return f"{part.n:,} rows do not rule out a loss of {margin:.3g}; {needs}{held}."


def _few(labels: list[str], most: int = 5) -> str:
    return ", ".join(labels[:most]) + (f" and {len(labels) - most} more" if len(labels) > most else "")
