"""The gate: a table of checks, and one verdict from what they say.

A check reads the evidence and says PASS, FAIL or UNDECIDED, each with its reason. A new kind of check is one more line
here.
"""

from collections.abc import Callable

from tunegate.gate.against import no_erosion, no_regression
from tunegate.gate.baseline import beats_baselines
from tunegate.gate.behaviour import behaves
from tunegate.gate.budgets import latency_within_budget, size_within_budget
from tunegate.gate.checks import Check, Evidence, Verdict
from tunegate.gate.new_rows import new_rows_fit
from tunegate.gate.quality import calibrated, reaches_floor, unseen_rows
from tunegate.gate.slices import no_slice_harmed

CHECKS: dict[str, Callable[[Evidence], list[Check]]] = {
    "data": unseen_rows,
    "floor": reaches_floor,
    "baseline": beats_baselines,
    "no regression": no_regression,
    "no erosion": no_erosion,
    "slices": no_slice_harmed,
    "new rows": new_rows_fit,
    "behaviour": behaves,
    "calibration": calibrated,
    "latency": latency_within_budget,
    "size": size_within_budget,
}


def judge(evidence: Evidence) -> list[Check]:
    """What every check that the settings ask for says, in the table's order. Raises UserError."""
    return [check for question in CHECKS.values() for check in question(evidence)]


def combine(checks: list[Check]) -> Verdict:
    """FAIL if any check fails, PASS if all pass, else UNDECIDED. Nothing asked is nothing proved."""
    found = {check.verdict for check in checks}
    if "FAIL" in found:
        return "FAIL"
    return "PASS" if found == {"PASS"} else "UNDECIDED"
