"""What evaluate found, as other rooms and other programs read it: `reports/<p>/evaluate.json`. Values only."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tunegate.params import Precision


class Found(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Estimate(Found):
    """A number with what the rows know of it.

    `low` to `high` is the two-sided 95 % interval that people are shown; `lower` and `upper` are the one-sided 5 %
    bounds by which the gate decides. `n` counts units (records, documents or groups).
    """

    value: float
    low: float
    high: float
    lower: float
    upper: float
    n: int


class Headline(Found):
    """One metric of one model, in few words."""

    name: str
    model: str
    value: float
    low: float
    high: float
    n: int


class ModelScores(Found):
    """A candidate (one per precision, and named so) or a cheap baseline."""

    kind: Literal["candidate", "baseline"]
    what: str
    metrics: dict[str, Estimate]
    calibration_error: Estimate


class Comparison(Found):
    """Candidate minus baseline on the same rows. `wins` and `losses` count rows where just one is right."""

    precision: Precision
    baseline: str
    difference: Estimate
    wins: int | None = None  # only where the metric is a share of rows
    losses: int | None = None


class LeftOut(Found):
    """Test rows that do not count in a comparison, each under its first reason."""

    trained_on_by_id: int = 0  # either model has learnt from a row of this id
    trained_on_by_text: int = 0  # or from the same text, or nearly the same
    label_unknown: int = 0  # the version does not know the row's label

    @property
    def total(self) -> int:
        return self.trained_on_by_id + self.trained_on_by_text + self.label_unknown


class Sureness(Found):
    """Of the test rows those that are answered with a confidence from `threshold` on (None: no threshold was found)."""

    wanted: float
    threshold: float | None
    rows: int
    share: float
    right: Estimate | None  # of these rows; None where there are none


def title(name: str, version: str | None) -> str:
    """What the champion or the best version is called in sentences."""
    what = {"champion": "the champion", "best": "the best version"}[name]
    return f"{what} {version}" if version else what


class VersionFound(Found):
    """The champion or the best version beside the candidate, on the test rows that count for both.

    `problem` says why there is no comparison, and `remedy` what to do. `ours` and `theirs` are the metrics in the
    precisions that serve.
    """

    name: Literal["champion", "best"]
    version: str | None
    run: str | None
    hash: str  # of its export, as DVC names it
    same_as: Literal["champion", "best"] | None = None  # asked under that name already
    identical: bool = False  # the candidate is the same files, so that there is nothing to estimate
    problem: str = ""
    remedy: str = ""
    note: str = ""
    precision: Precision | None = None
    labels_added: list[str] = Field(default=[])  # that only the candidate knows
    labels_gone: list[str] = Field(default=[])  # that only the version knows
    rows: int = 0
    left_out: LeftOut = LeftOut()
    ours: dict[str, Estimate] = Field(default={})
    theirs: dict[str, Estimate] = Field(default={})
    comparisons: list[Comparison] = Field(default=[])  # candidate minus version, one per precision of the candidate

    @property
    def title(self) -> str:
        """In words: `the champion v1.2.0`."""
        return title(self.name, self.version)


class ClassScores(Found):
    """Of one label; shares are None where they have no meaning (nothing of it, or never answered)."""

    label: str
    rows: int
    answered: int
    precision: float | None
    recall: float | None
    recall_low: float | None
    recall_high: float | None
    f1: float | None


class Findings(Found):
    """`primary` is the candidate's first metric in the precision that serves here, `baseline` the best baseline's."""

    task: str
    rows: int
    fingerprint: str  # of the test rows: scores with another one are never compared
    export: str  # the export's digest
    answers: str  # SHA-256 of answers.parquet
    served: Precision
    primary: Headline
    baseline: Headline
    difference: Estimate
    higher_is_better: bool
    proportion: bool  # the primary metric is a share of rows
    scale: float = 1.0  # what the gate's margins are shares of: 1, or the spread of the right numbers in their unit
    models: dict[str, ModelScores] = Field(min_length=1)
    comparisons: list[Comparison]
    classes: list[ClassScores]
    versions: list[VersionFound] = Field(default=[])  # champion and best, where there are any
    sure: Sureness | None = None  # of the precision that serves; where export.sure_precision asks for it
    seen_in_training: int  # test rows whose question stands among the training rows
    megabytes: float

    @model_validator(mode="after")
    def _complete(self) -> "Findings":
        """Nobody is judged by half of the evidence: every model has the primary metric, every pair is compared."""
        for name, scores in self.models.items():
            if self.primary.name not in scores.metrics:
                raise ValueError(f"the model {name} has no metric {self.primary.name}")
        wanted = {(ours, theirs) for ours in self.candidates for theirs in self.baselines}
        if not self.candidates or wanted != {(pair.precision, pair.baseline) for pair in self.comparisons}:
            raise ValueError("not every candidate is compared with every baseline")
        for version in self.versions:
            if version.rows and {pair.precision for pair in version.comparisons} != set(self.candidates):
                raise ValueError(f"not every candidate is compared with {version.title}")
        return self

    @property
    def candidates(self) -> dict[str, ModelScores]:
        return {name: scores for name, scores in self.models.items() if scores.kind == "candidate"}

    def version(self, name: str) -> VersionFound | None:
        """The champion or the best version; the champion's findings where both are one."""
        found = {version.name: version for version in self.versions}
        chosen = found.get(name)  # type: ignore[call-overload]
        return found[chosen.same_as] if chosen and chosen.same_as else chosen

    @property
    def baselines(self) -> dict[str, ModelScores]:
        return {name: scores for name, scores in self.models.items() if scores.kind == "baseline"}


class Times(Found):
    """Milliseconds that one record of `tokens` tokens took, from text to answer, one at a time on one thread."""

    tokens: int
    p50_ms: float
    p99_ms: float
    repeats: int


class Latency(Found):
    """`reports/<p>/latency.json`: measured times, apart from everything that can be reproduced."""

    cpu: str
    threads: int
    times: dict[Precision, list[Times]]
