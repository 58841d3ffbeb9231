"""The candidate in each precision that it ships, cheap baselines, champion and best version, on the same test rows:
from answers to findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from tunegate.evaluation.answers import fingerprint
from tunegate.evaluation.findings import Comparison, Findings, Headline, ModelScores, VersionFound
from tunegate.evaluation.leave_outs import LeaveOuts
from tunegate.evaluation.matched import Ours, against
from tunegate.evaluation.right import right_of
from tunegate.evaluation.rivals import Rival
from tunegate.evaluation.scores import Resampling, calibration, classes, compare, estimates, scale_of, units
from tunegate.evaluation.sureness import sureness
from tunegate.params import Precision
from tunegate.records import Payload
from tunegate.task import AnswerPart, Counts, Fitted, Metric


@dataclass(frozen=True)
class Contest:
    """`candidates` by precision, the one that serves first; `baselines` by name, with what each is in words."""

    task: str
    payload: tuple[Payload, ...]
    answering: AnswerPart
    labels: list[str]
    records: pa.Table
    candidates: Mapping[Precision, pa.Table]
    baselines: Mapping[str, tuple[str, pa.Table]]
    rivals: Sequence[Rival] = ()
    left_out: LeaveOuts | None = None  # test rows that the candidate itself has learnt from

    @property
    def metric(self) -> Metric:
        """The primary one."""
        return self.answering.METRICS[0]

    @property
    def served(self) -> Precision:
        return next(iter(self.candidates))

    @cached_property
    def answers(self) -> dict[str, pa.Table]:
        """Every model's answers: candidates, baselines, then the versions that could be asked."""
        answers: dict[str, pa.Table] = {str(name): given for name, given in self.candidates.items()}
        answers |= {name: given for name, (_, given) in self.baselines.items()}
        return answers | {rival.name: rival.answers for rival in self.rivals if rival.answers is not None}

    @cached_property
    def labels_by_model(self) -> dict[str, Sequence[str]]:
        """Of each model that answered, in the order of its scores."""
        theirs = {str(rival.name): rival.labels for rival in self.rivals}
        return {name: theirs.get(name, self.labels) for name in self.answers}

    @cached_property
    def counts(self) -> dict[str, Counts]:
        """Over the labels of all models together: a version may answer one that the candidate no longer knows."""
        more = dict.fromkeys(label for rival in self.rivals for label in rival.labels if label not in self.labels)
        known = {str(rival.name): [*self.labels, *more] for rival in self.rivals}
        return {
            name: self.answering.counts(answers, self.records, known.get(name, self.labels))
            for name, answers in self.answers.items()
        }


@dataclass(frozen=True)
class Facts:
    """What the findings say beside scores."""

    export: str  # digest
    answers: str  # SHA-256 of answers.parquet
    seen_in_training: int
    megabytes: float
    fitted: Fitted = field(default_factory=dict)  # of the precision that serves


def findings(contest: Contest, facts: Facts, resampling: Resampling) -> Findings:
    """Scores with intervals of every model, and each candidate minus each baseline on the same rows."""
    models = {str(name): _scores(contest, str(name), resampling) for name in (*contest.candidates, *contest.baselines)}
    comparisons = [
        compare((precision, baseline), contest.metric, contest.counts[precision], contest.counts[baseline], resampling)
        for precision in contest.candidates
        for baseline in contest.baselines
    ]
    best = _best_baseline(contest, models)
    return Findings(
        task=contest.task,
        rows=len(contest.records),
        fingerprint=fingerprint(contest.records, contest.payload),
        export=facts.export,
        answers=facts.answers,
        served=contest.served,
        primary=_headline(contest.metric, contest.served, models),
        baseline=_headline(contest.metric, best, models),
        difference=_between(comparisons, contest.served, best).difference,
        higher_is_better=contest.metric.higher_is_better,
        proportion=contest.metric.proportion,
        scale=scale_of(contest.metric, contest.counts[contest.served]),
        models=models,
        comparisons=comparisons,
        classes=classes(contest.counts[contest.served]),
        sure=sureness(
            contest.answering, contest.candidates[contest.served], contest.counts[contest.served], facts.fitted
        ),
        versions=_versions(contest, facts.export, resampling),
        seen_in_training=facts.seen_in_training,
        megabytes=facts.megabytes,
    )


def surest_mistakes(contest: Contest, most: int) -> list[dict[str, str]]:
    """Cells of the wrong answers of the model that serves, the most confident first."""
    answers = contest.candidates[contest.served]
    confidence = contest.answering.confidence(answers)
    wrong = np.flatnonzero(~right_of(contest.counts[contest.served]))
    chosen = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    records, given = contest.records.take(chosen).to_pylist(), answers.take(chosen).to_pylist()
    return [
        {"row": f"{record['source']}:{record['source_line']}", **contest.answering.cells(record, answer)}
        for record, answer in zip(records, given, strict=True)
    ]


def _scores(contest: Contest, name: str, resampling: Resampling) -> ModelScores:
    counts, answers = contest.counts[name], contest.answers[name]
    candidate = name in contest.candidates
    return ModelScores(
        kind="candidate" if candidate else "baseline",
        what=f"the candidate in {name}" if candidate else contest.baselines[name][0],
        metrics=estimates(contest.answering.METRICS, counts, resampling),
        calibration_error=calibration(contest.answering.confidence(answers), right_of(counts), resampling),
    )


def _versions(contest: Contest, export: str, resampling: Resampling) -> list[VersionFound]:
    nobody = np.zeros(len(contest.records), dtype=bool)
    ours = Ours(
        export=export,
        labels=contest.labels,
        counts={name: contest.counts[name] for name in contest.candidates},
        left_out=contest.left_out or LeaveOuts(nobody, nobody, nobody),
        metrics=contest.answering.METRICS,
        units=units(contest.records, contest.metric.unit),
    )
    return [against(ours, rival, contest.counts.get(rival.name), resampling) for rival in contest.rivals]


def _best_baseline(contest: Contest, models: Mapping[str, ModelScores]) -> str:
    sign = 1 if contest.metric.higher_is_better else -1
    return max(contest.baselines, key=lambda name: sign * models[name].metrics[contest.metric.name].value)


def _headline(metric: Metric, model: str, models: Mapping[str, ModelScores]) -> Headline:
    found = models[model].metrics[metric.name]
    return Headline(name=metric.name, model=model, value=found.value, low=found.low, high=found.high, n=found.n)


def _between(comparisons: list[Comparison], precision: Precision, baseline: str) -> Comparison:
    return next(pair for pair in comparisons if (pair.precision, pair.baseline) == (precision, baseline))
