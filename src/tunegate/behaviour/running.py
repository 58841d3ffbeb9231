"""The cases put to a model, every different question once, and what its answers say of each test."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.asked import Mistake, check_question
from tunegate.behaviour.cases import Case, Record, Source, cases_of
from tunegate.behaviour.reading import labels_named, read_behaviour
from tunegate.behaviour.results import Behaviour, Failing, TestResult, bounds
from tunegate.behaviour.schema import BehaviourFile, Direction, Invariance, MinimumFunctionality, Test
from tunegate.errors import UserError, did_you_mean
from tunegate.params import Precision
from tunegate.predictor import Predictor
from tunegate.records import label_sets_column, told_set
from tunegate.tasks import answering_of, record_of
from tunegate.text.label_sets import read_set

EXAMPLES = 10  # failing cases that are kept per test


def run_behaviour(
    path: Path, name: str, rows: pa.Table, predictors: Mapping[Precision, Predictor], seed: int
) -> Behaviour:
    """Every test of the file in every precision; `name` is the file's as people write it. Raises UserError.

    `rows` are the pipeline's test rows. The cases are the same for every precision.
    """
    predictor = next(iter(predictors.values()))
    plain = tuple(field.name for field in record_of(predictor.manifest.task).PAYLOAD if field.is_plain_text)
    if not plain:
        raise UserError(
            f"evaluate.behaviour names {name}, and a question of {predictor.manifest.task} has no text to change: each "
            "word has an answer of its own.",
            "Take evaluate.behaviour out.",
        )
    of_sets = label_sets_column(record_of(predictor.manifest.task).PAYLOAD) is not None
    file = _with_sets(read_file(path, name, plain)) if of_sets else read_file(path, name, plain)
    source = Source(file, rows, plain, seed, tuple(name for name in predictor.questions if name not in plain))
    cases = {test: cases_of(test, entry, source) for test, entry in file.tests.items()}
    _check_questions(cases, name, predictor)
    answers = {precision: _ask(cases, asked) for precision, asked in predictors.items()}
    _check_scores(file, name, next(iter(answers.values())))
    _check_labels(file, name, next(iter(answers.values())), of_sets)
    return Behaviour(
        file=name,
        hash=hashlib.sha256(path.read_bytes()).hexdigest(),
        precisions={precision: results(file, cases, given) for precision, given in answers.items()},
    )


def read_file(path: Path, name: str, fields: tuple[str, ...]) -> BehaviourFile:
    """Raises UserError also where there is no such file."""
    if not path.is_file():
        raise UserError(
            f"evaluate.behaviour names {name}, which is not there.", "Write it, restore it, or take the setting out."
        )
    return read_behaviour(path, fields)


def _with_sets(file: BehaviourFile) -> BehaviourFile:
    """Expected sets of labels (`eggs; baking`) as answers name them, whatever the order in which they are written."""

    def ordered(test: Test) -> Test:
        if not isinstance(test, MinimumFunctionality):
            return test
        return test.model_copy(update={"expected": [told_set(read_set(said)) for said in test.expected]})

    return file.model_copy(update={"tests": {name: ordered(test) for name, test in file.tests.items()}})


@dataclass(frozen=True)
class Answers:
    """By question: what was decided, and the scores behind it [questions, labels]."""

    number: Mapping[tuple[tuple[str, str], ...], int]
    decided: Sequence[str]
    scores: NDArray[np.float64]
    labels: Sequence[str]
    intervals: NDArray[np.float64] | None = None  # [questions, 2], of a task that answers numbers

    def decision(self, record: Record) -> str:
        return self.decided[self.number[tuple(record.items())]]

    def same(self, record: Record, changed: Record, within: float | None) -> bool:
        """Whether both are decided alike: of numbers, whether the second lies where the first may, or near enough."""
        first, second = (self.number[tuple(one.items())] for one in (record, changed))
        if self.intervals is None:
            return self.decided[first] == self.decided[second]
        return self._near(first, self._said(second), within)

    def is_any(self, record: Record, expected: Sequence[str], within: float | None) -> bool:
        """Whether the decision is one of these: of numbers, whether one lies where it may, or near enough."""
        if self.intervals is None:
            return self.decision(record) in expected
        own = self.number[tuple(record.items())]
        return any(self._near(own, float(said), within) for said in expected)

    def _near(self, own: int, number: float, within: float | None) -> bool:
        assert self.intervals is not None
        low, high = self.intervals[own]
        return bool(low <= number <= high) if within is None else abs(self._said(own) - number) <= within

    def _said(self, own: int) -> float:
        """The number itself, in the middle of its interval."""
        assert self.intervals is not None
        return float(self.intervals[own].mean())

    def score(self, record: Record, label: str | None) -> float:
        """Of the label, or the number that is answered."""
        own = self.number[tuple(record.items())]
        return self._said(own) if label is None else float(self.scores[own, self.labels.index(label)])


def results(file: BehaviourFile, cases: Mapping[str, Sequence[Case]], answers: Answers) -> list[TestResult]:
    """What the answers say of each test."""
    return [_result(name, test, cases[name], answers) for name, test in file.tests.items()]


def _ask(cases: Mapping[str, Sequence[Case]], predictor: Predictor) -> Answers:
    asked = [record for of in cases.values() for case in of for record in (case.record, *case.changed)]
    number = {key: place for place, key in enumerate(dict.fromkeys(tuple(record.items()) for record in asked))}
    if not number:
        return Answers({}, (), np.zeros((0, len(predictor.manifest.labels))), predictor.manifest.labels)
    answering = answering_of(predictor.manifest.task)
    answers = predictor.answers(predictor.table([dict(key) for key in number]))
    intervals = answering.intervals(answers) if hasattr(answering, "intervals") else None
    return Answers(number, answering.decided(answers), answering.scores(answers), predictor.manifest.labels, intervals)


def _result(name: str, test: Test, cases: Sequence[Case], answers: Answers) -> TestResult:
    failing = [found for case in cases if (found := _failing(test, case, answers))]
    return TestResult(
        name=name,
        kind=test.kind,
        what=_what(test),
        tolerated=test.tolerated,
        n=len(cases),
        failures=len(failing),
        examples=failing[:EXAMPLES],
        **bounds(len(failing), len(cases)),
    )


def _failing(test: Test, case: Case, answers: Answers) -> Failing | None:
    """None where the model does what the test wants."""
    decided = answers.decision(case.record)
    if isinstance(test, MinimumFunctionality):
        if answers.is_any(case.record, test.expected, test.within):
            return None
        return Failing(row=case.row, record=case.record, changed=None, wanted=" or ".join(test.expected), got=decided)
    for changed in case.changed:
        wanted_and_got = (
            _moved(test, case.record, changed, answers)
            if isinstance(test, Direction)
            else _decided_otherwise(test, case.record, changed, answers)
        )
        if wanted_and_got:
            wanted, got = wanted_and_got
            return Failing(row=case.row, record=case.record, changed=changed, wanted=wanted, got=got)
    return None


def _decided_otherwise(test: Test, record: Record, changed: Record, answers: Answers) -> tuple[str, str] | None:
    within = test.within if isinstance(test, Invariance) else None
    if answers.same(record, changed, within):
        return None
    near = f", give or take {within:g}" if within is not None else ""
    return f"{answers.decision(record)}{near}, as before the change", answers.decision(changed)


def _moved(test: Direction, record: Record, changed: Record, answers: Answers) -> tuple[str, str] | None:
    """Whether the label's score moved the wrong way by more than it may."""
    before, after = answers.score(record, test.label), answers.score(changed, test.label)
    wrong = before - after if test.score == "must_not_fall" else after - before
    if wrong <= test.by:
        return None
    way = "at least" if test.score == "must_not_fall" else "at most"
    limit = before - test.by if test.score == "must_not_fall" else before + test.by
    score = "a number" if test.label is None else f"a score of {test.label}"
    return f"{score} of {way} {limit:.3f}", f"{after:.3f} (before: {before:.3f})"


def _what(test: Test) -> str:
    if isinstance(test, MinimumFunctionality):
        near = f", give or take {test.within:g}" if test.within is not None else ""
        return f"the answer is {' or '.join(test.expected)}{near}"
    if isinstance(test, Invariance):
        name, settings = test.perturb.chosen
        said = ", ".join(str(value) for value in settings.model_dump().values() if not isinstance(value, list))
        far = "change the answer" if test.within is None else f"move the number by more than {test.within:g}"
        return f"{name}{f' ({said})' if said else ''} does not {far}"
    watched = "the number" if test.label is None else f"the score of {test.label}"
    return f"an addition does not let {watched} {test.score.rpartition('_')[2]} by more than {test.by:g}"


def _check_scores(file: BehaviourFile, name: str, answers: Answers) -> None:
    """A direction is a label's own score's, or a number's; what lies near enough is a number."""
    numbers, of_labels = answers.intervals is not None, (len(answers.decided), len(answers.labels))
    has_scores = answers.scores.shape == of_labels and not numbers
    for test, entry in file.tests.items():
        if isinstance(entry, Direction) and not (numbers if entry.label is None else has_scores):
            raise _without_score(name, test, entry, numbers)
        if isinstance(entry, Direction) and not numbers and entry.by > 1:
            raise UserError(f'{name}: the test "{test}" has by: {entry.by:g}, and a score is at most 1.', "Lower it.")
        if not isinstance(entry, Direction) and entry.within is not None and not numbers:
            raise UserError(
                f'{name}: the test "{test}" has within: {entry.within:g}, and this task answers no numbers.',
                "Take it out.",
            )


def _without_score(name: str, test: str, entry: Direction, numbers: bool) -> UserError:
    if entry.label is None:
        return UserError(
            f'{name}: the test "{test}" watches no score: it names no label, and this task answers no numbers.',
            "Name the label whose score is watched, or write it as an invariance or a minimum-functionality test.",
        )
    return UserError(
        f'{name}: the test "{test}" watches the score of "{entry.label}", and this task gives labels no score.',
        "Take the label out: the number itself is watched then."
        if numbers
        else "Write it as an invariance or a minimum-functionality test.",
    )


def _check_labels(file: BehaviourFile, name: str, answers: Answers, of_sets: bool) -> None:
    """A misspelt label would look like a model that is always wrong. Not every task decides among labels alone."""
    if answers.intervals is not None:
        _check_numbers(file, name)
        return
    labels_only = of_sets or set(answers.decided) <= set(answers.labels)
    for test, entry in file.tests.items():
        named = labels_named(entry)
        if of_sets and isinstance(entry, MinimumFunctionality):
            named = [label for said in named for label in read_set(said)]
        for label in named:
            if label not in answers.labels and (labels_only or isinstance(entry, Direction)):
                raise UserError(
                    f'{name}: the test "{test}" speaks of "{label}", which is no label of the model.'
                    f"{did_you_mean(label, answers.labels)}",
                    f"The labels are: {', '.join(answers.labels)}.",
                )


def _check_numbers(file: BehaviourFile, name: str) -> None:
    for test, entry in file.tests.items():
        for said in entry.expected if isinstance(entry, MinimumFunctionality) else ():
            try:
                float(said)
            except ValueError:
                raise UserError(
                    f'{name}: the test "{test}" expects "{said}", and this task answers numbers.',
                    'Write the number in quotes, for example expected: "4.5"; an interval around it is right.',
                ) from None


def _check_questions(cases: Mapping[str, Sequence[Case]], name: str, predictor: Predictor) -> None:
    """Templates must be questions that the model has learnt to answer; rows are."""
    part = record_of(predictor.manifest.task)
    for test, made in cases.items():
        for case in made:
            if case.row is not None:
                continue
            asked = check_question(case.record, part.Record, predictor.manifest.filled)
            if isinstance(asked, Mistake):
                raise UserError(
                    f'{name}: a template of the test "{test}" makes no question for the model: {asked.message}',
                    f"Its text fields are: {', '.join(predictor.questions)}.",
                )
