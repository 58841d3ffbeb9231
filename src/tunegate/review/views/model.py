"""A model version or run: its verdict with every check drawn, its mistakes, its confidence, where it comes from."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import ClassVar

from markupsafe import Markup

from tunegate.errors import TunegateError
from tunegate.review.answers import Answered, answered
from tunegate.review.charts.curves import Axes, Curve, curves, reliability
from tunegate.review.charts.intervals import Interval, interval
from tunegate.review.charts.matrix import LARGEST, confusion
from tunegate.review.history import VersionShown, about, decisions_on, run_of
from tunegate.review.language import Language
from tunegate.review.reports import (
    CheckSeen,
    ClassSeen,
    EvaluateSeen,
    GateSeen,
    LatencySeen,
    NoteSeen,
    PackageSeen,
    SliceSeen,
    TrainSeen,
)
from tunegate.review.snapshots import Snapshot
from tunegate.review.views.lineage import Origin, origins, settings_of
from tunegate.versions.decisions import DECIDES, Decision
from tunegate.versions.runs import Run

CARD = "bento/README.md"
PAIRS = 50  # most frequent confusions in the table; the drawing has all


@dataclass(frozen=True)
class CheckDrawn:
    """One check and its picture, where it has a number."""

    check: CheckSeen
    picture: Markup | None


@dataclass(frozen=True)
class SliceDrawn:
    slice: SliceSeen
    picture: Markup | None


@dataclass(frozen=True)
class Pictures:
    """Drawn from the answers; `missing` says why not, where they cannot be had."""

    confusion: Markup | None = None
    pairs: Sequence[tuple[str, str, int]] = ()
    reliability: Markup | None = None
    bins: Sequence[tuple[float, float, int]] = ()
    missing: str = ""


@dataclass(frozen=True)
class ModelView:
    template: ClassVar[str] = "model.html"

    snapshot: Snapshot
    known: VersionShown | None
    gate: GateSeen | None
    checks: Sequence[CheckDrawn]
    slices: Sequence[SliceDrawn]
    evaluate: EvaluateSeen | None
    classes: Sequence[ClassSeen]
    train: TrainSeen | None
    learning: Markup | None
    package: PackageSeen | None
    latency: LatencySeen | None
    pictures: Pictures
    origins: Sequence[Origin]
    settings: Sequence[tuple[str, str]]
    decisions: Sequence[Decision]
    actions: Sequence[str]
    card: str

    @property
    def notes(self) -> Sequence[NoteSeen]:
        return self.gate.notes if self.gate else ()

    def title(self, language: Language) -> str:
        return language.say("model.title", name=self.snapshot.name)


def model_view(snapshot: Snapshot, language: Language) -> ModelView:
    """Raises UserError for a damaged report."""
    gate, evaluate = snapshot.report("gate", GateSeen), snapshot.report("evaluate", EvaluateSeen)
    train, known = snapshot.report("train", TrainSeen), about(snapshot)
    verdict_hash = gate.hash if gate else None
    decisions = decisions_on(snapshot, verdict_hash)
    return ModelView(
        snapshot=snapshot,
        known=known,
        gate=gate,
        checks=[drawn(check, language) for check in worst_first(gate.checks)] if gate else [],
        slices=[_slice(each, language) for each in gate.slices] if gate else [],
        evaluate=evaluate,
        classes=evaluate.classes if evaluate else (),
        train=train,
        learning=_learning(snapshot, language),
        package=snapshot.report("package", PackageSeen),
        latency=snapshot.report("latency", LatencySeen),
        pictures=_pictures(snapshot, evaluate, language),
        origins=origins(snapshot),
        settings=settings_of(snapshot),
        decisions=decisions,
        actions=actions(known, run_of(snapshot, verdict_hash), decisions),
        card=_card(snapshot),
    )


def actions(known: VersionShown | None, run: Run | None, decisions: Sequence[Decision]) -> list[str]:
    """What a person may do here: decide about an open verdict, make a registered version live.

    Where packaging was cut short after somebody let the model through, the same decision goes on from there.
    """
    if known is not None:
        return [] if known.rejected else ["promote", *([] if known.environments or decisions else ["reject"])]
    if decisions:
        return [decision.what for decision in decisions[:1] if decision.what in ("approve", "force")]
    return [what for what in ("approve", "force", "reject") if run and run.ended.verdict in DECIDES[what]]


def drawn(check: CheckSeen, language: Language) -> CheckDrawn:
    """The check's estimate and interval against its threshold."""
    if check.estimate is None:
        return CheckDrawn(check, None)
    shown = Interval(check.estimate, check.low, check.high, check.threshold, check.verdict.lower())
    title = language.say("chart.check", name=check.name)
    return CheckDrawn(check, interval(shown, title, _told(shown, language)))


def _told(shown: Interval, language: Language) -> str:
    said = [language.say("chart.estimate", value=f"{shown.estimate:.3g}")]
    if shown.low is not None and shown.high is not None:
        said.append(language.say("chart.interval", low=f"{shown.low:.3g}", high=f"{shown.high:.3g}"))
    if shown.threshold is not None:
        said.append(language.say("chart.threshold", value=f"{shown.threshold:.3g}"))
    return " ".join(said)


def _slice(each: SliceSeen, language: Language) -> SliceDrawn:
    found = each.difference
    if found is None:
        return SliceDrawn(each, None)
    state = {"harmed": "fail", "fine": "pass"}.get(each.state, "plain")
    shown = Interval(found.value, found.low, found.high, 0.0, state)
    return SliceDrawn(each, interval(shown, language.say("chart.slice", name=each.name), _told(shown, language)))


def _pictures(snapshot: Snapshot, evaluate: EvaluateSeen | None, language: Language) -> Pictures:
    if evaluate is None:
        return Pictures()
    try:
        found = answered(snapshot, evaluate)
    except TunegateError as error:
        return Pictures(missing=f"{error.problem} {error.remedy}")
    return Pictures(
        confusion=_confusion(found, language),
        pairs=found.wrong_pairs[:PAIRS],
        reliability=reliability(
            found.bins,
            (language.say("chart.reliability"), language.say("chart.reliability.told", rows=found.rows)),
            Axes(language.say("chart.confidence"), language.say("chart.right")),
        ),
        bins=found.bins,
    )


def _confusion(found: Answered, language: Language) -> Markup | None:
    if not found.counted or len(found.labels) > LARGEST:
        return None
    right = sum(number for (label, answer), number in found.counted.items() if label == answer)
    words = (
        language.say("chart.confusion"),
        language.say("chart.confusion.told", labels=len(found.labels), rows=found.rows, right=right),
    )
    return confusion(found.labels, found.counted, words, (language.say("word.label"), language.say("word.answer")))


def _learning(snapshot: Snapshot, language: Language) -> Markup | None:
    """Loss by step where the file is at hand, else by epoch from the report."""
    train = snapshot.report("train", TrainSeen)
    if train is None or not train.epochs:
        return None
    trained = [(float(number), epoch.train_loss) for number, epoch in enumerate(train.epochs, 1)]
    validated = [(x, epoch.validation_loss) for (x, _), epoch in zip(trained, train.epochs, strict=True)]
    held = [(x, y) for x, y in validated if y is not None]
    steps = _steps(snapshot, len(train.epochs))
    drawn_curves = [
        Curve(language.say("chart.train_loss"), steps or trained, "series-1", dots=not steps),
        *([Curve(language.say("chart.validation_loss"), held, "series-2", dots=True)] if held else []),
    ]
    last = train.epochs[-1]
    told = language.say("chart.learning.told", epochs=len(train.epochs), loss=f"{last.train_loss:.3f}")
    axes = Axes(language.say("chart.epoch"), language.say("chart.loss"))
    return curves(drawn_curves, (language.say("chart.learning"), told), axes)


def _steps(snapshot: Snapshot, epochs: int) -> list[tuple[float, float]]:
    """(epochs done, training loss) per step; empty where the file cannot be had: the report's epochs serve then."""
    try:
        path = snapshot.folder("train") / "curves.csv"
        lines = list(csv.DictReader(StringIO(path.read_text(encoding="utf-8"))))
        losses = [float(line["train_loss"]) for line in lines]
    except (TunegateError, OSError, ValueError, KeyError):
        return []
    return [(epochs * (number + 1) / len(losses), loss) for number, loss in enumerate(losses)]


def _card(snapshot: Snapshot) -> str:
    """The card that travels with the Bento; empty where nothing was packaged, or its files are gone."""
    try:
        path = snapshot.folder("package") / CARD
        return path.read_text(encoding="utf-8")
    except (TunegateError, OSError, UnicodeDecodeError):
        return ""


def worst_first(checks: Sequence[CheckSeen]) -> list[CheckSeen]:
    """What decided stands at the top; within one verdict the gate's order."""
    return sorted(checks, key=lambda check: ("FAIL", "UNDECIDED", "PASS").index(check.verdict))
