"""What the stages reported, as far as the page shows it.

Tolerant on purpose: a report of an older or newer tunegate shows what it has, instead of an error.
"""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tunegate.errors import UserError


class Seen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


S = TypeVar("S", bound=Seen)


class EstimateSeen(Seen):
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None


class CheckSeen(Seen):
    name: str
    verdict: str
    reason: str = ""
    remedy: str = ""
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    n: int | None = None
    more_rows: int | None = None
    precision: str | None = None


class SliceSeen(Seen):
    name: str
    n: int = 0
    wins: int | None = None
    losses: int | None = None
    difference: EstimateSeen | None = None
    p_value: float | None = None
    adjusted: float | None = None
    state: str = ""  # harmed, fine, too_small
    more_rows: int | None = None
    critical: bool = False


class NoteSeen(Seen):
    name: str
    reason: str = ""
    more_rows: int | None = None


class ComparedSeen(Seen):
    reference: str = ""
    version: str | None = None
    run: str | None = None
    rows: int | None = None
    left_out: dict[str, int] = {}


class GateSeen(Seen):
    verdict: str
    hash: str
    checks: list[CheckSeen] = []
    notes: list[NoteSeen] = []
    slices: list[SliceSeen] = []
    compared_with: list[ComparedSeen] = []


class ScoresSeen(Seen):
    kind: str
    what: str
    metrics: dict[str, EstimateSeen]
    calibration_error: EstimateSeen


class ClassSeen(Seen):
    label: str
    rows: int
    answered: int
    precision: float | None = None
    recall: float | None = None
    recall_low: float | None = None
    recall_high: float | None = None
    f1: float | None = None


class EvaluateSeen(Seen):
    task: str
    rows: int
    fingerprint: str = ""
    export: str = ""
    served: str
    primary: dict[str, Any]
    models: dict[str, ScoresSeen] = {}
    classes: list[ClassSeen] = []
    megabytes: float | None = None


class ValidateSeen(Seen):
    rows: int
    rejected: int = 0
    quarantined: int = 0
    kept: dict[str, int] = {}
    quarantined_by_rule: dict[str, int] = {}
    accepted: bool
    reasons: list[str] = []
    messages: list[str] = []
    labels: dict[str, dict[str, int]] = {}


class EpochSeen(Seen):
    train_loss: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None


class DiagnosisSeen(Seen):
    name: str
    figure: str
    remedy: str


class TrainSeen(Seen):
    parameters: int | None = None
    rows: int | None = None
    labels: int | None = None
    device: str = ""
    precision: str = ""
    epochs: list[EpochSeen] = []
    best_epoch: int | None = None
    diagnoses: list[DiagnosisSeen] = []
    weights_sha256: str = ""


class PackageSeen(Seen):
    packaged: bool
    why: str = ""
    tag: str | None = None
    approved_by: str | None = None


class TimesSeen(Seen):
    tokens: int
    p50_ms: float
    p99_ms: float


class LatencySeen(Seen):
    cpu: str = ""
    threads: int = Field(default=1)
    times: dict[str, list[TimesSeen]] = {}


def parse(kind: type[S], content: bytes | None, where: str) -> S | None:
    """The report, or None where there is none. Raises UserError for one that is damaged."""
    if content is None:
        return None
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"])) or "it"
        raise UserError(f"{where} is damaged: {place} is not what it should be.", "Run the pipeline again.") from error
