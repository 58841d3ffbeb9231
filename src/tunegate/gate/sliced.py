"""The test rows by slice: candidate against champion in each part of them.

Per slice the exact one-sided sign test of the rows that only one model has right, adjusted by Holm's method over all
slices, so that an equal model is called harmful at most once in twenty times, however many labels there are. A slice
is harmed when that is significant and it has lost more than `gate.margin`. Where answers are numbers, their errors are
compared instead (`slice_errors`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tunegate.evaluation.findings import Findings
from tunegate.gate.slice_errors import Errors, counts_in, errors_of, more_rows
from tunegate.gate.slice_parts import Parts
from tunegate.params import GateSettings
from tunegate.records import read_table
from tunegate.statistics.multiplicity import holm, sign_test
from tunegate.statistics.noninferiority import Decision, decide, decide_by
from tunegate.statistics.proportions import ONE_SIDED, Paired
from tunegate.statistics.rows_needed import for_harm
from tunegate.tasks import answering_of


class Difference(BaseModel):
    """Of shares of right answers, with its 95 % interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    low: float
    high: float
    n: int


class Slice(BaseModel):
    """One slice: candidate minus champion on its rows, upwards better. `more_rows` are rows of this slice.

    of: shares of right answers, or errors in the numbers' own unit: wins are rows whose error shrank.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    n: int
    wins: int
    losses: int
    difference: Difference | None  # None without rows
    p_value: float
    adjusted: float
    state: Literal["harmed", "fine", "too_small"]
    more_rows: int | None = None
    critical: bool = False
    of: Literal["shares", "errors"] = "shares"


@dataclass(frozen=True)
class Sliced:
    """What slices are cut from: rows.parquet, and per row whether candidate and champion are right (bool [n])."""

    rows: pa.Table
    labels: tuple[str, ...]  # the task's label columns
    ours: NDArray[np.bool_]
    theirs: NDArray[np.bool_]
    kept: NDArray[np.bool_]  # rows that count in the comparison
    settings: GateSettings
    parts: Mapping[str, NDArray[np.bool_]] | None = None  # what `cut` gave, where the same rows are judged often
    errors: Errors | None = None  # of a task that answers numbers

    @cached_property
    def found(self) -> list[Slice]:
        """Every slice, worst first. Raises UserError for a column that is not there."""
        masks = self._masks()
        chosen = {name: mask & self.kept for name, mask in masks.items()}
        pairs = [self._pair(mask) for mask in chosen.values()]
        wins = np.array([pair.wins for pair in pairs], dtype=np.int64)
        losses = np.array([pair.losses for pair in pairs], dtype=np.int64)
        p_values = self.errors.p_values(list(chosen.values())) if self.errors else sign_test(wins, losses)
        adjusted = _adjusted(p_values, wins + losses)
        tests = int((wins + losses > 0).sum())
        slices = [
            self._slice(name, self._change(mask, pair, tests), pair, (float(p_value), float(corrected)))
            for (name, mask), pair, p_value, corrected in zip(chosen.items(), pairs, p_values, adjusted, strict=True)
        ]
        order = {"harmed": 0, "too_small": 1, "fine": 2}
        return sorted(slices, key=lambda found: (order[found.state], not found.critical, found.p_value))

    def _masks(self) -> dict[str, NDArray[np.bool_]]:
        """Slices that hold every row are no slices; critical ones stay, also without a row."""
        masks = self.parts if self.parts is not None else cut(self.rows, self.labels, self.settings)
        whole = int(self.kept.sum())
        return {
            name: mask
            for name, mask in masks.items()
            if name in self.settings.critical_slices or 0 < int((mask & self.kept).sum()) < whole
        }

    def _pair(self, chosen: NDArray[np.bool_]) -> Paired:
        if self.errors is not None:
            return self.errors.pair(chosen)
        ours, theirs = self.ours[chosen], self.theirs[chosen]
        return Paired(int((ours & ~theirs).sum()), int((theirs & ~ours).sum()), int(chosen.sum()))

    def _change(self, chosen: NDArray[np.bool_], pair: Paired, tests: int) -> "_Change":
        """How much was won or lost, in shares or in the numbers' unit."""
        if self.errors is not None:
            bounds = self.errors.bounds(chosen)
            margin = self.settings.slice_margin * self.errors.scale
            return _Change(decide_by(bounds, margin), bounds.value, self.errors.scale, more_rows(bounds))
        total = for_harm(pair, ONE_SIDED / max(1, tests)) if pair.rows else None
        value = pair.difference if pair.rows else 0.0
        return _Change(decide(pair, self.settings.slice_margin), value, 1.0, total)

    def _slice(self, name: str, change: "_Change", pair: Paired, p_values: tuple[float, float]) -> Slice:
        decision = change.decision
        lost = change.value < -self.settings.margin * change.scale
        harmed = p_values[1] <= ONE_SIDED and pair.rows > 0 and lost
        fine = decision.verdict == "PASS"
        more = decision.more_rows
        if decision.verdict == "FAIL" and not harmed:
            more = change.total - pair.rows if change.total is not None else None
        return Slice(
            name=name,
            n=pair.rows,
            wins=pair.wins,
            losses=pair.losses,
            difference=_difference(pair, change),
            p_value=p_values[0],
            adjusted=p_values[1],
            state="harmed" if harmed else "fine" if fine else "too_small",
            more_rows=None if harmed or fine else more,
            critical=name in self.settings.critical_slices,
            of="errors" if self.errors else "shares",
        )


@dataclass(frozen=True)
class _Change:
    """`value`, upwards better, in `scale`s; `total`: rows that would show harm."""

    decision: Decision
    value: float
    scale: float
    total: int | None


def cut(rows: pa.Table, labels: Sequence[str], settings: GateSettings) -> dict[str, NDArray[np.bool_]]:
    """Masks [n] over the rows by slice: those of the settings, and the critical ones. Raises UserError."""
    parts = Parts(rows, labels)
    masks = {name: mask for wanted in settings.slices for name, mask in parts.of(wanted).items()}
    critical = settings.critical_slices
    return masks | {name: masks[name] if name in masks else parts.one(name) for name in critical}


def read_sliced(folder: Path, findings: Findings, labels: tuple[str, ...], settings: GateSettings) -> "Sliced | None":
    """From evaluate's folder; None where no champion was asked, or where the candidate is the champion."""
    champion = findings.version("champion")
    if champion is None or champion.problem or champion.identical:
        return None
    rows = read_table(folder / "rows.parquet")
    left_out = ("candidate_trained_on", "champion_trained_on", "champion_label_unknown")
    kept = ~np.any([np.asarray(rows[name].combine_chunks()) for name in left_out], axis=0)
    counts = read_table(folder / "counts.parquet")
    both = [counts_in(counts, model, len(rows)) for model in (findings.served, "champion")]
    return Sliced(
        rows=rows,
        labels=labels,
        ours=right_rows(counts, findings.served, len(rows)),
        theirs=right_rows(counts, "champion", len(rows)),
        kept=kept,
        settings=settings,
        errors=errors_of(answering_of(findings.task).METRICS[0], *both),
    )


def without_rows(folder: Path, labels: tuple[str, ...], settings: GateSettings) -> tuple[str, ...]:
    """Critical slices that no test row is in: where nothing is compared, nothing else would tell. Raises UserError."""
    if not settings.critical_slices:
        return ()
    masks = cut(read_table(folder / "rows.parquet"), labels, settings)
    return tuple(name for name in settings.critical_slices if not masks[name].any())


def right_rows(counts: pa.Table, model: str, rows: int) -> NDArray[np.bool_]:
    """Whether the model is right, per row, from counts.parquet."""
    chosen = pc.and_(pc.equal(counts["model"], model), pc.equal(counts["key"], "correct"))
    right = np.zeros(rows, dtype=bool)
    right[np.asarray(counts.filter(chosen)["record"].combine_chunks())] = True
    return right


def _adjusted(p_values: NDArray[np.float64], told_apart: NDArray[np.int64]) -> NDArray[np.float64]:
    """Over the slices in which some row tells the two apart: how many do says nothing about which way."""
    adjusted = np.ones(len(p_values))
    asked = told_apart > 0
    adjusted[asked] = holm(p_values[asked])
    return adjusted


def _difference(pair: Paired, change: _Change) -> Difference | None:
    if not pair.rows:
        return None
    return Difference(value=change.value, low=change.decision.low, high=change.decision.high, n=pair.rows)
