"""What the gate would say of a model on other rows like these: evidence built from resampled rows, judged for real.

Used to measure the gate itself: on a person's own rows (`selftest`) and on invented ones (benchmarks/gates.py).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.behaviour.results import Behaviour
from tunegate.evaluation.findings import Estimate, Findings, Headline, Latency, ModelScores, VersionFound
from tunegate.evaluation.right import right_of
from tunegate.evaluation.scores import Resampling, calibration, compare, estimate, scale_of, share, units
from tunegate.gate import combine, judge
from tunegate.gate.checks import Check, Evidence, Verdict
from tunegate.gate.slice_errors import errors_of
from tunegate.gate.sliced import Sliced, cut
from tunegate.params import GateSettings, Precision
from tunegate.task import Counts, Metric

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]

RESAMPLING = Resampling(200, 0)  # of a metric that is no share, and of the calibration error: bounds to a tenth
ONE = Estimate(value=1.0, low=1.0, high=1.0, lower=1.0, upper=1.0, n=1)


@dataclass(frozen=True)
class Answered:
    """A model on some rows: what its answers count, and how sure it was [n] (None: its confidence is not judged)."""

    counts: Counts
    confidence: Floats | None = None

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        return right_of(self.counts)

    @cached_property
    def _matrix(self) -> Any:
        from scipy.sparse import csr_array

        of = self.counts
        return csr_array((of.number, (of.record, of.key)), shape=(of.records, len(of.keys)))

    def at(self, rows: Rows, metric: Metric) -> "Answered":
        """On these rows, some of them perhaps several times; of a share only what it needs is counted."""
        confidence = self.confidence[rows] if self.confidence is not None else None
        if metric.proportion:
            return Answered(counts_of(self.right[rows]), confidence)
        drawn = self._matrix[rows].tocoo()
        record, key = drawn.coords
        counts = Counts(len(rows), self.counts.keys, record.astype(np.int64), key.astype(np.int32), drawn.data)
        return Answered(counts, confidence)


def counts_of(right: NDArray[np.bool_]) -> Counts:
    """`n` and `correct` of rows that are right or wrong."""
    hits, size = np.flatnonzero(right), len(right)
    record = np.concatenate([np.arange(size), hits]).astype(np.int64)
    key = np.concatenate([np.zeros(size), np.ones(len(hits))]).astype(np.int32)
    return Counts(size, ("n", "correct"), record, key, np.ones(len(record)))


@dataclass(frozen=True)
class Ground:
    """What stays the same in every trial: the rows and what they are, the settings, and what rows do not decide."""

    metric: Metric
    rows: pa.Table  # as in rows.parquet; the columns that slices are cut from
    labels: tuple[str, ...]  # the task's label columns
    settings: GateSettings
    baselines: Mapping[str, Answered] = field(default_factory=dict)
    latency: Latency = Latency(cpu="", threads=1, times={})
    megabytes: float = 0.0
    seen_in_training: int = 0
    behaviour: Behaviour | None = None
    precision: Precision = "fp32"

    def evidence(
        self, rows: Rows, candidate: Answered, champion: Answered | None, best: Answered | None = None
    ) -> Evidence:
        """Of these rows, some of which may stand there several times; the models' answers are to just these."""
        ours = candidate
        given = {"champion": champion, "best": best}
        theirs = {name: model for name, model in given.items() if model is not None}
        number = _copies_apart(self._units, rows) if self._units is not None else None
        versions = [self._version(name, number, ours, model) for name, model in theirs.items()]
        return Evidence(
            self._findings(rows, ours, versions),
            self.latency,
            self.settings,
            behaviour=self.behaviour,
            sliced=self._sliced(rows, ours, theirs["champion"]) if champion is not None else None,
        )

    @cached_property
    def _units(self) -> Rows | None:
        return units(self.rows, self.metric.unit)

    def drawn(self, random: np.random.Generator) -> Rows:
        """As many rows as there are (or documents, or groups: the metric's units, whole), with repetition."""
        number = self._units
        if number is None:
            return random.integers(0, len(self.rows), len(self.rows))
        members = np.split(np.argsort(number, kind="stable"), np.cumsum(np.bincount(number))[:-1])
        return np.concatenate([members[unit] for unit in random.integers(0, len(members), len(members))])

    @cached_property
    def _parts(self) -> dict[str, NDArray[np.bool_]]:
        return cut(self.rows, self.labels, self.settings)

    def _sliced(self, rows: Rows, ours: Answered, theirs: Answered) -> Sliced:
        """Bands of a number are those of all rows, so that a trial's rows are not sorted again."""
        parts = {name: mask[rows] for name, mask in self._parts.items()}
        every = np.ones(len(rows), dtype=bool)
        errors = errors_of(self.metric, ours.counts, theirs.counts)
        return Sliced(self.rows, self.labels, ours.right, theirs.right, every, self.settings, parts, errors)

    def judged(
        self, rows: Rows, candidate: Answered, champion: Answered | None, best: Answered | None = None
    ) -> "Trial":
        """What the gate says."""
        checks = judge(self.evidence(rows, candidate, champion, best))
        return Trial(combine(checks), tuple(checks))

    def _findings(self, rows: Rows, ours: Answered, versions: list[VersionFound]) -> Findings:
        cheap = {name: model.at(rows, self.metric) for name, model in self.baselines.items()}
        models: dict[str, ModelScores] = {self.precision: self._scores("candidate", ours)}
        models |= {name: self._scores("baseline", model) for name, model in cheap.items()}
        compared = [
            compare((self.precision, name), self.metric, ours.counts, of.counts, RESAMPLING)
            for name, of in cheap.items()
        ]
        found = models[self.precision].metrics[self.metric.name]
        headline = Headline(
            name=self.metric.name, model=self.precision, value=found.value, low=found.low, high=found.high, n=found.n
        )
        return Findings(
            task="", rows=len(rows), fingerprint="", export="", answers="", served=self.precision,
            primary=headline, baseline=headline, difference=ONE,
            higher_is_better=self.metric.higher_is_better, proportion=self.metric.proportion,
            scale=scale_of(self.metric, ours.counts),
            models=models, comparisons=compared, classes=[], versions=versions,
            seen_in_training=self.seen_in_training, megabytes=self.megabytes,
        )  # fmt: skip

    def _scores(self, kind: str, model: Answered) -> ModelScores:
        error = ONE
        if kind == "candidate" and model.confidence is not None:
            error = calibration(model.confidence, model.right, RESAMPLING)
        metrics = {self.metric.name: self._estimate(model)}
        return ModelScores.model_validate({"kind": kind, "what": kind, "metrics": metrics, "calibration_error": error})

    def _version(self, name: str, number: Rows | None, ours: Answered, theirs: Answered) -> VersionFound:
        pair = compare((self.precision, name), self.metric, ours.counts, theirs.counts, RESAMPLING, units=number)
        found = {"version": None, "run": None, "hash": name, "rows": ours.counts.records, "comparisons": [pair]}
        return VersionFound.model_validate({"name": name, **found})

    def _estimate(self, model: Answered) -> Estimate:
        if self.metric.proportion:
            return share(int(model.right.sum()), model.counts.records)
        return estimate(self.metric, model.counts, RESAMPLING)


def _copies_apart(number: Rows, rows: Rows) -> Rows:
    """The units [rows] of drawn rows; a unit that was drawn twice counts as two."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    copy = np.empty(len(rows), dtype=np.int64)
    copy[order] = np.arange(len(rows)) - np.maximum.accumulate(np.where(first, np.arange(len(rows)), 0))
    return np.asarray(number[rows] + copy * (int(number.max()) + 1))


@dataclass(frozen=True)
class Trial:
    verdict: Verdict
    checks: tuple[Check, ...]

    @property
    def more_rows(self) -> int | None:
        """The rows that would settle every undecided check; None where one asks for none."""
        asked = [check.more_rows for check in self.checks if check.verdict == "UNDECIDED"]
        return max((rows for rows in asked if rows is not None), default=None) if None not in asked else None


@dataclass(frozen=True)
class Tally:
    """How often each verdict was given, and by which checks it was no PASS, the most frequent first."""

    trials: int
    verdicts: Mapping[Verdict, int]
    because: Mapping[str, int]

    def share(self, verdict: Verdict) -> float:
        return self.verdicts.get(verdict, 0) / self.trials


def tally(trials: Iterable[Trial]) -> Tally:
    """Of at least one trial. A check's name ends before its colon: `baseline:tfidf` is a baseline."""
    found = list(trials)
    because = Counter(
        name
        for trial in found
        for name in {check.name.partition(":")[0] for check in trial.checks if check.verdict == trial.verdict != "PASS"}
    )
    return Tally(len(found), Counter(trial.verdict for trial in found), dict(because.most_common()))
