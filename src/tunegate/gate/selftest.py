"""How good is the gate, on a person's own rows? Models whose worth is known are put to it many times over.

The model that evaluate judged last plays the champion. A candidate is made from it, rows are drawn anew, and the real
gate judges; how often it blocks an equal model, or passes a worse one, is counted. Baselines, latency, size and
behaviour tests stay what they were.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from tunegate.evaluation.scores import estimate
from tunegate.gate.regressions import Original, halved, swapped, with_swapped
from tunegate.gate.trials import RESAMPLING, Answered, Ground, Rows, tally

Ask = Callable[[pa.Table], pa.Table]
Advance = Callable[[int, int], None]

POINTS = (0.0, 0.01, -0.01, -0.02)  # an equal model, a better one, two worse ones
NOISE = (0.02, 0.1)
SWAPPED = (0.1, 1.0)


class Measured(BaseModel):
    """One kind of candidate: `change` is its true difference in the metric, upwards better; shares are of trials."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    how: str  # "drawn" from the champion's answers, "altered" answers, or "run": the model itself on altered texts
    change: float
    passed: float
    undecided: float
    failed: float
    because: dict[str, int]  # check to how often it was why there was no PASS


class SelfTest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    pipeline: str
    metric: str
    rows: int
    margin: float
    discordance: float
    trials: int
    measured: list[Measured]


@dataclass(frozen=True)
class Subject:
    """A pipeline as evaluate left it. `ask` runs the exported model; `texts` are the columns that it is asked."""

    pipeline: str
    ground: Ground
    original: Original
    discordance: float
    ask: Ask
    texts: tuple[str, ...]


Make = Callable[[Rows, np.random.Generator], pa.Table]
"""A model's answers to the drawn rows."""


@dataclass(frozen=True)
class _Scenario:
    name: str
    how: str
    make: Make
    change: float | None = None  # None: measured


def selftest(subject: Subject, trials: int, seed: int, advance: Advance) -> SelfTest:
    """Every scenario `trials` times. The same seed gives the same numbers."""
    scenarios = _scenarios(subject, seed)
    found = []
    for number, scenario in enumerate(scenarios):
        found.append(_measure(subject, scenario, trials, np.random.default_rng([seed, number])))
        advance(number + 1, len(scenarios))
    return SelfTest(
        pipeline=subject.pipeline,
        metric=subject.ground.metric.name,
        rows=len(subject.ground.rows),
        margin=subject.ground.settings.margin,
        discordance=subject.discordance,
        trials=trials,
        measured=found,
    )


def _scenarios(subject: Subject, seed: int) -> list[_Scenario]:
    original = subject.original
    names = {0.0: "an equal model", 0.01: "1 point better", -0.01: "1 point worse", -0.02: "2 points worse"}
    drawn = [
        _Scenario(names[points], "drawn", _retrained(original, points, subject.discordance), _upwards(subject, points))
        for points in POINTS
    ]
    noise = [_Scenario(f"{share:.0%} of the answers at random", "altered", _noisy(original, share)) for share in NOISE]
    common = original.common()
    lost = [
        _Scenario(f'"{decision}" is never answered', "altered", _without(original, decision))
        for decision in dict.fromkeys((common[0], common[len(common) // 2]))
        if len(common) > 1
    ]
    return [*drawn, *noise, *lost, *_broken_texts(subject, seed)]


def _upwards(subject: Subject, points: float) -> float | None:
    """Of a share of rows the change is what was asked for; of another metric it is measured."""
    return points if subject.ground.metric.proportion else None


def _retrained(original: Original, points: float, discordance: float) -> Make:
    return lambda rows, random: original.retrained(rows, points, discordance, random)


def _noisy(original: Original, share: float) -> Make:
    return lambda rows, random: original.noisy(rows, share, random)


def _without(original: Original, decision: str) -> Make:
    return lambda rows, random: original.without(rows, decision, random)


def _broken_texts(subject: Subject, seed: int) -> list[_Scenario]:
    """The exported model itself on texts that reach it broken."""
    texts = [text for name in subject.texts for text in subject.original.records[name].to_pylist() if text]
    made: dict[str, Callable[[str], str]] = {"texts cut to their first half": halved}
    for share in SWAPPED:
        words = swapped(texts, share, seed)
        made[f"{share:.0%} of the vocabulary swapped"] = partial(with_swapped, words=words)
    return [_Scenario(name, "run", _given(_asked(subject, change))) for name, change in made.items()]


def _asked(subject: Subject, change: Callable[[str], str]) -> pa.Table:
    records = subject.original.records
    for name in subject.texts:
        changed = [change(text) if text else text for text in records[name].to_pylist()]
        records = records.set_column(records.column_names.index(name), name, pa.array(changed, pa.string()))
    return subject.ask(records)


def _given(answers: pa.Table) -> Make:
    return lambda rows, _: answers.take(pa.array(rows))


def _measure(subject: Subject, scenario: _Scenario, trials: int, random: np.random.Generator) -> Measured:
    ground, original = subject.ground, subject.original
    confidence = original.answering.confidence
    sure = confidence(original.answers)
    champion = Answered(original.counts(original.answers), sure)
    found, changes = [], []
    for _ in range(trials):
        rows = ground.drawn(random)
        answers = scenario.make(rows, random)
        # How sure a drawn model is does not follow from another row's answer: the champion's confidence stays.
        new = Answered(original.counts(answers, rows), sure[rows] if scenario.how == "drawn" else confidence(answers))
        old = champion.at(rows, ground.metric)
        found.append(ground.judged(rows, new, old))
        changes.append(_change(ground, new, old))
    counted = tally(found)
    return Measured(
        name=scenario.name,
        how=scenario.how,
        change=scenario.change if scenario.change is not None else float(np.mean(changes)),
        passed=counted.share("PASS"),
        undecided=counted.share("UNDECIDED"),
        failed=counted.share("FAIL"),
        because=dict(counted.because),
    )


def _change(ground: Ground, candidate: Answered, champion: Answered) -> float:
    """Upwards better."""
    sign = 1 if ground.metric.higher_is_better else -1
    if ground.metric.proportion:
        return sign * float(candidate.right.mean() - champion.right.mean())
    ours, theirs = (estimate(ground.metric, model.counts, RESAMPLING).value for model in (candidate, champion))
    return sign * (ours - theirs)
