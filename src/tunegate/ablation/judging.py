"""Pays, does not pay, or cannot tell: paired differences of all seeds on the same rows, and what would settle it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tunegate.ablation.arms import Arms, Change, every, seeds_of
from tunegate.ablation.trying import Ground, Trial, counts_of, is_kept
from tunegate.evaluation.scores import scale_of, units
from tunegate.progress import Progress
from tunegate.records import read_table
from tunegate.statistics.paired_seeds import SeedGain, more_of_both, more_rows, more_seeds, seed_gain
from tunegate.statistics.proportions import Paired, tango
from tunegate.statistics.resampling import Kinds, collapse, observed, resampled
from tunegate.task import Counts, Metric, Sums
from tunegate.tasks import answering_of

RESAMPLES = 2_000
ERROR = 0.05  # over all changes together
Verdict = Literal["pays", "does not pay", "cannot tell"]
Floats = NDArray[np.float64]


class SeedPair(BaseModel):
    """The metric with and without what is judged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    with_it: float
    without_it: float


class Paid(BaseModel):
    """One change. `gain`, `low` and `high` are upwards better; `settling_*` are in all, each alone: None where it is
    settled, or where none would do. `settling_both`: seeds and rows together, where neither alone would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    change: str
    verdict: Verdict
    gain: float
    low: float
    high: float
    seeds: list[SeedPair]
    settling_seeds: int | None = None
    settling_rows: int | None = None
    settling_both: tuple[int, int] | None = None
    sentence: str = ""


class Ablation(BaseModel):
    """`worth`: the smallest gain that would be worth having, in the metric's unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pipeline: str
    metric: str
    higher_is_better: bool
    rows: int
    split: str
    worth: float
    confidence: float  # of each interval: together they hold nineteen times in twenty
    found: list[Paid]


@dataclass(frozen=True)
class Judge:
    """What all changes are judged by."""

    metric: Metric
    unit: NDArray[np.int64] | None
    rows: int
    split: str
    worth: float
    error: float

    @property
    def sign(self) -> float:
        return 1.0 if self.metric.higher_is_better else -1.0


def ablate(ground: Ground, found: Arms, seeds: int, worth: float, progress: Progress) -> Ablation:
    """Try what has not been tried yet, and judge. `worth` is a share of the metric's scale, as `gate.margin` is."""
    records = read_table(ground.rows)
    counts = _counts(ground, found, seeds, progress)
    metric = answering_of(found.base.task).METRICS[0]
    scale = scale_of(metric, counts["as it is set"][0])
    unit, error = units(records, metric.unit), ERROR / len(found.changed)
    rows = len(records) if unit is None else int(unit.max()) + 1
    judge = Judge(metric, unit, rows, ground.split, worth * scale, error)
    names = [name for name, _ in every(found)]
    pairs = zip(found.changed, names[1:], strict=True)
    paid = [
        judged(judge, change, counts[names[0]], counts[name], list(seeds_of(found.base, seeds)))
        for (change, _), name in pairs
    ]
    return Ablation(
        pipeline=ground.place.pipeline,
        metric=metric.title,
        higher_is_better=metric.higher_is_better,
        rows=len(records),
        split=ground.split,
        worth=judge.worth,
        confidence=1 - error,
        found=paid,
    )


def _counts(ground: Ground, found: Arms, seeds: int, progress: Progress) -> Mapping[str, list[Counts]]:
    """By arm, a seed after the other: what is killed early has pairs."""
    trials = [
        ground.trial(name, settings, seed) for seed in seeds_of(found.base, seeds) for name, settings in every(found)
    ]
    with ground.place.alone():
        ground.place.forget_work({trial.key for trial in trials})
        left = sum(not is_kept(ground, trial) for trial in trials)
        progress.say(f"{left} of {len(trials)} trainings to do; the others are kept from before")
        counts: dict[str, list[Counts]] = {}
        for number, trial in enumerate(trials, start=1):
            _tell(ground, trial, f"{number} of {len(trials)}", progress)
            counts.setdefault(trial.arm, []).append(counts_of(ground, trial, progress))
    return counts


def _tell(ground: Ground, trial: Trial, place: str, progress: Progress) -> None:
    if not is_kept(ground, trial):
        progress.say(f"{trial.arm}, seed {trial.seed} ({place})")


def judged(judge: Judge, change: Change, base: Sequence[Counts], arm: Sequence[Counts], seeds: Sequence[int]) -> Paid:
    """What is judged stands in `base` or in `arm`, each a model per seed."""
    own, other = (base, arm) if change.takes_out else (arm, base)
    kinds = collapse([counts for pair in zip(own, other, strict=True) for counts in pair], judge.unit)
    gains = [_gain_of(judge, number) for number in range(len(seeds))]
    differences = np.array([observed(kinds, gain) for gain in gains])
    drawn = np.stack([resampled(kinds, gain, RESAMPLES, 0) for gain in gains])
    least = tango(Paired(0, 0, judge.rows), error=judge.error / 2)[1] * scale_of(judge.metric, own[0])
    gain = seed_gain(differences, drawn[:, np.isfinite(drawn).all(axis=0)], least)
    half = gain.half(judge.error)
    low, high = gain.value - half, gain.value + half
    verdict: Verdict = "pays" if low > 0 else "does not pay" if high < judge.worth else "cannot tell"
    told = _told(judge, kinds, seeds)
    paid = Paid(change=change.said, verdict=verdict, gain=gain.value, low=low, high=high, seeds=told)
    return _with_words(judge, paid, gain)


def _gain_of(judge: Judge, number: int) -> Callable[[Sequence[Sums]], Floats]:
    """Of one seed, upwards better."""
    return lambda sums: np.asarray(
        judge.sign * (judge.metric.value(sums[2 * number]) - judge.metric.value(sums[2 * number + 1]))
    )


def _told(judge: Judge, kinds: Kinds, seeds: Sequence[int]) -> list[SeedPair]:
    values = [observed(kinds, _value_of(judge, number)) for number in range(2 * len(seeds))]
    pairs = zip(seeds, values[::2], values[1::2], strict=True)
    return [SeedPair(seed=seed, with_it=own, without_it=other) for seed, own, other in pairs]


def _value_of(judge: Judge, number: int) -> Callable[[Sequence[Sums]], Floats]:
    return lambda sums: judge.metric.value(sums[number])


def _with_words(judge: Judge, paid: Paid, gain: SeedGain) -> Paid:
    """The sentence, and where it cannot be told what would settle it."""
    count, size = len(paid.seeds), f"{abs(paid.gain):.3g}"
    moved = "no different" if not paid.gain else f"{size} {'better' if paid.gain > 0 else 'worse'}"
    what = f"{judge.metric.title} is {moved} with {paid.change} [{paid.low:+.3g}, {paid.high:+.3g}]"
    base = f"{what}, over {count} seeds and {judge.rows:,} {judge.split} {'rows' if judge.unit is None else 'units'}"
    if paid.verdict == "pays":
        return paid.model_copy(update={"sentence": f"It pays: {base}."})
    if paid.verdict == "does not pay":
        surely = "it does harm" if paid.high < 0 else f"surely less than the {judge.worth:.3g} that would be worth it"
        return paid.model_copy(update={"sentence": f"It does not pay: {base}; {surely}."})
    seeds, rows = more_seeds(gain, judge.worth, judge.error), more_rows(gain, judge.worth, judge.rows, judge.error)
    both = None if seeds or rows else more_of_both(gain, judge.worth, judge.rows, judge.error)
    sentence = f"Cannot tell: {base}. {_settling(judge, count, (seeds, rows), both)}"
    settling = {"settling_seeds": seeds, "settling_rows": rows, "settling_both": both}
    return paid.model_copy(update={**settling, "sentence": sentence})


def _settling(judge: Judge, count: int, alone: tuple[int | None, int | None], both: tuple[int, int] | None) -> str:
    """In so many words; four times in five, if the gain is what it looks like."""
    seeds, rows = alone
    if both is not None:
        more = f"{both[0] - count:,} more seeds (--seeds {both[0]}) together with {both[1] - judge.rows:,} more"
        return f"About {more} {judge.split} rows would settle it, four times in five; neither alone would."
    ways = [f"{seeds - count:,} more seeds (--seeds {seeds})"] if seeds is not None else []
    ways += [f"{rows - judge.rows:,} more {judge.split} rows"] if rows is not None else []
    if not ways:
        return "No number of seeds and rows that can be had would settle it: the gain lies too near what is worth it."
    only = "" if len(ways) == 2 else " No number of rows alone would." if rows is None else " No number of seeds would."
    return f"About {' or '.join(ways)} would settle it, four times in five.{only}"
