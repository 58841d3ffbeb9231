"""An examination as values that a program reads and a person is shown: every finding with its rows' lines."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from tunegate.records import SPLITS
from tunegate.validation.examine import Examination
from tunegate.validation.messages import Finding


class FindingSummary(BaseModel):
    """`lines` are the rows' lines by file; empty for a finding on the data set."""

    model_config = ConfigDict(frozen=True)

    code: str
    action: str
    refuses: bool
    count: int | None
    total: int | None
    message: str
    lines: dict[str, list[int]]


class Lengths(BaseModel):
    """Characters per text, white space around it aside."""

    model_config = ConfigDict(frozen=True)

    shortest: int
    median: int
    most: int  # 99 of 100 texts are at most this long
    longest: int


class Summary(BaseModel):
    """`rows` are those that could be read; `labels` counts all of them, by label and split."""

    model_config = ConfigDict(frozen=True)

    rows: int
    splits: dict[str, int]
    rejected: dict[str, list[int]]  # file to the lines that could not be read
    quarantined: int
    accepted: bool
    reasons: list[str]
    findings: list[FindingSummary]
    labels: dict[str, dict[str, int]]
    lengths: Lengths | None


def summary_of(examination: Examination, rejects: pa.Table, labels: Mapping[str, Mapping[str, int]]) -> Summary:
    """`rejects` as `records.REJECT`; `labels` as they occur before anything is taken out."""
    facts = examination.facts.table
    return Summary(
        rows=len(facts),
        splits={split: pc.sum(pc.equal(facts["split"], split)).as_py() or 0 for split in SPLITS},
        rejected=_by_file(rejects["source"], rejects["source_line"]),
        quarantined=int((examination.rule >= 0).sum()) + len(rejects),
        accepted=not examination.reasons,
        reasons=examination.reasons,
        findings=list(_findings(examination)),
        labels={label: dict(counts) for label, counts in labels.items()},
        lengths=_lengths(facts["n_chars"]),
    )


def _findings(examination: Examination) -> Iterator[FindingSummary]:
    facts = examination.facts
    fact_of = {check.code: check.fact for check in examination.checks}
    for finding in examination.findings:
        fact = fact_of.get(finding.code)
        rows = facts.table.filter(pa.array(facts.boolean(fact))) if fact else facts.table.slice(0, 0)
        yield _finding(finding, _by_file(rows["source"], rows["source_line"]))


def _finding(finding: Finding, lines: dict[str, list[int]]) -> FindingSummary:
    return FindingSummary(
        code=finding.code,
        action=finding.action,
        refuses=finding.refuses,
        count=finding.count,
        total=finding.total,
        message=finding.sentence(),
        lines=lines,
    )


def _by_file(sources: pa.ChunkedArray, lines: pa.ChunkedArray) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for source, line in zip(sources.to_pylist(), lines.to_pylist(), strict=True):
        found.setdefault(source, []).append(line)
    return found


def _lengths(characters: pa.ChunkedArray) -> Lengths | None:
    values = np.asarray(characters.drop_null().to_numpy())
    if not len(values):
        return None
    shortest, median, most, longest = np.quantile(values, [0, 0.5, 0.99, 1], method="higher").astype(int).tolist()
    return Lengths(shortest=shortest, median=median, most=most, longest=longest)


def listed(lines: Sequence[int], shown: int) -> str:
    """`3, 7, 19 and 40 more`."""
    first = ", ".join(map(str, lines[:shown]))
    return first if len(lines) <= shown else f"{first} and {len(lines) - shown} more"
