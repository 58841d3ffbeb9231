"""What a check is told and what it says, and the rule by which bounds decide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tunegate.behaviour.results import Behaviour
from tunegate.evaluation.findings import Estimate, Findings, Latency
from tunegate.gate.arrived import Arrived
from tunegate.gate.sliced import Slice, Sliced
from tunegate.params import GateSettings, Precision

Verdict = Literal["PASS", "FAIL", "UNDECIDED"]
SEVERITY: dict[Verdict, int] = {"FAIL": 0, "UNDECIDED": 1, "PASS": 2}


@dataclass(frozen=True)
class Evidence:
    """All that a verdict may rest on."""

    findings: Findings
    latency: Latency
    settings: GateSettings
    temperatures: Mapping[Precision, float] = field(default_factory=dict)  # fitted on validation rows, where any was
    behaviour: Behaviour | None = field(default=None, kw_only=True)  # of the user's own tests, where there are any
    sliced: Sliced | None = field(default=None, kw_only=True)  # where there is a champion to compare with
    unseen: Sequence[str] = field(default=(), kw_only=True)  # critical slices that no test row is in
    arrived: Arrived | None = field(default=None, kw_only=True)  # where the champion's data is known

    @property
    def margin(self) -> float:
        """`gate.margin` in the unit of the primary metric."""
        return self.settings.margin * self.findings.scale

    @property
    def baseline_margin(self) -> float:
        """`gate.baseline_margin` in the unit of the primary metric."""
        return self.settings.baseline_margin * self.findings.scale

    @property
    def slice_margin(self) -> float:
        """`gate.slice_margin` in the unit in which slices are compared."""
        errors = self.sliced.errors if self.sliced is not None else None
        return self.settings.slice_margin * (errors.scale if errors is not None else 1.0)

    @property
    def slices(self) -> list[Slice]:
        return self.sliced.found if self.sliced is not None else []


class Check(BaseModel):
    """One check's answer. `low` to `high` is the 95 % interval to show; reasons of PASS need no remedy.

    `more_rows` is how many more labelled rows would settle an UNDECIDED check four times in five; None where it is
    settled, or where no number of rows like these would.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    verdict: Verdict
    reason: str
    remedy: str = ""
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    n: int | None = None
    more_rows: int | None = None
    precision: Precision | None = None  # the one that decided, where several ship


def at_least(estimate: Estimate, threshold: float) -> Verdict:
    """PASS when the number is surely not below the threshold, FAIL when it surely is (one-sided 5 % each)."""
    if estimate.lower >= threshold:
        return "PASS"
    return "FAIL" if estimate.upper < threshold else "UNDECIDED"


def at_most(estimate: Estimate, threshold: float) -> Verdict:
    """The same for what should be small."""
    if estimate.upper <= threshold:
        return "PASS"
    return "FAIL" if estimate.lower > threshold else "UNDECIDED"


def worst(checks: Iterable[Check]) -> Check:
    """Every precision that ships must pass, so the worst of them speaks for all."""
    return min(checks, key=lambda check: SEVERITY[check.verdict])


def more_rows(total: int | None, now: int) -> int | None:
    """Of the rows in all that would settle a question, those that are still missing."""
    return max(1, total - now) if total is not None else None


def ask_for_rows(missing: int | None) -> str:
    """The remedy of an undecided check."""
    if missing is None:
        return (
            "No number of further rows like these would settle it: the number lies on the threshold. "
            "Improve the model, label harder rows, or let a person decide."
        )
    return f"Label about {missing:,} more test rows like these: that settles it four times in five."
