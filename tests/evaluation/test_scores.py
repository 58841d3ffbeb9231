"""Scores are those that scikit-learn gives, and their intervals are what they claim to be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gate.evidence import answers, labels, right
from tunegate.evaluation.right import right_of
from tunegate.evaluation.scores import Resampling, calibration, classes, compare, estimate, share
from tunegate.task import Counts
from tunegate.tasks import answering_of

TASK = answering_of("text_classification")
ACCURACY, MACRO_F1, MICRO_F1 = TASK.METRICS
FEW = Resampling(400, 0)


def counted(truth: list[str], given_answers: list[str], known: list[str]) -> Counts:
    import pyarrow as pa

    return TASK.counts(answers(given_answers, known), pa.table({"label": truth}), known)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=2, max_size=60))
def test_metrics_are_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    from sklearn.metrics import accuracy_score, f1_score

    truth, given_answers = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    counts = counted(truth, given_answers, list("abcd"))
    assert estimate(ACCURACY, counts, FEW).value == pytest.approx(accuracy_score(truth, given_answers))
    assert estimate(MICRO_F1, counts, FEW).value == pytest.approx(f1_score(truth, given_answers, average="micro"))
    macro = f1_score(truth, given_answers, average="macro", zero_division=0)
    assert estimate(MACRO_F1, counts, FEW).value == pytest.approx(macro)


def test_the_table_of_labels_is_scikit_learns() -> None:
    from sklearn.metrics import precision_recall_fscore_support

    truth = labels(200)
    found = right(truth, 0.7)
    known = sorted(set(truth))
    ours = classes(counted(truth, found, known))
    precision, recall, f1, rows = precision_recall_fscore_support(truth, found, labels=known)
    assert [row.label for row in ours] == known
    assert [row.rows for row in ours] == rows.tolist()
    for name, theirs in (("precision", precision), ("recall", recall), ("f1", f1)):
        assert [getattr(row, name) for row in ours] == pytest.approx(theirs.tolist())


def test_a_label_without_rows_or_answers_has_no_shares() -> None:
    (_, absent) = classes(counted(["a", "a"], ["a", "a"], ["a", "b"]))
    assert (absent.rows, absent.answered, absent.precision, absent.recall, absent.f1) == (0, 0, None, None, None)


def test_the_bootstrap_interval_of_macro_f1_holds_the_truth_as_often_as_it_says() -> None:
    """150 data sets of a classifier whose true macro F1 is its accuracy, by symmetry."""
    held = 0
    for seed in range(150):
        truth = labels(300, seed=seed)
        found = estimate(MACRO_F1, counted(truth, right(truth, 0.8, seed), sorted(set(truth))), Resampling(200, 0))
        held += found.low <= 0.8 <= found.high
    assert 0.88 <= held / 150 <= 0.99


def test_a_perfect_model_is_not_surely_perfect_by_any_metric() -> None:
    truth = labels(30)
    counts = counted(truth, truth, sorted(set(truth)))
    assert all(estimate(metric, counts, FEW).low < 0.9 for metric in TASK.METRICS)


def test_a_difference_is_paired() -> None:
    """Two models with the same mistakes differ by nothing, far more surely than two accuracies would say."""
    truth = labels(400)
    known = sorted(set(truth))
    same = counted(truth, right(truth, 0.8), known)
    pair = compare(("fp32", "other"), ACCURACY, same, same, FEW)
    assert (pair.wins, pair.losses, pair.difference.value) == (0, 0, 0.0)
    assert pair.difference.upper < 0.01 < share(320, 400).high - 0.8


def test_a_metric_that_is_no_share_is_compared_by_the_paired_bootstrap() -> None:
    truth = labels(400)
    known = sorted(set(truth))
    good, bad = (counted(truth, right(truth, accuracy, 3), known) for accuracy in (0.9, 0.6))
    pair = compare(("fp32", "other"), MACRO_F1, good, bad, FEW)
    assert pair.wins is None
    assert pair.difference.lower > 0.2 and pair.difference.low <= pair.difference.value <= pair.difference.high


def test_right_answers_are_found_by_record() -> None:
    assert right_of(counted(["a", "b", "a"], ["a", "a", "a"], ["a", "b"])).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("rows", "too_sure", "passes", "fails"),
    [(60, 0.0, (0.4, 0.7), (0.0, 0.03)), (200, 0.15, (0.0, 0.09), (0.0, 0.12)), (200, 0.25, (0.0, 0.03), (0.6, 1.0))],
)
def test_calibration_bounds_decide_about_a_limit_as_rarely_wrong_as_they_say(
    rows: int, too_sure: float, passes: tuple[float, float], fails: tuple[float, float]
) -> None:
    """Models that are surer than they are right by `too_sure`, against a limit of 0.15."""
    random = np.random.default_rng(1)
    bounds = []
    for seed in range(100):
        confidence = random.uniform(0.4, 1.0, rows)
        correct = random.random(rows) < confidence - too_sure
        bounds.append(calibration(confidence, correct, Resampling(200, seed)))
    assert passes[0] <= np.mean([found.upper <= 0.15 for found in bounds]) <= passes[1]
    assert fails[0] <= np.mean([found.lower > 0.15 for found in bounds]) <= fails[1]


def test_all_right_is_no_proof_of_honest_confidence() -> None:
    found = calibration(np.full(30, 0.99), np.ones(30, dtype=bool), FEW)
    assert found.value == pytest.approx(0.01) and found.upper > 0.08


def two_models(rows: int) -> tuple[Counts, Counts]:
    truth = labels(rows)
    known = sorted(set(truth))
    return counted(truth, right(truth, 0.8), known), counted(truth, right(truth, 0.7, seed=3), known)


def test_models_that_never_differ_have_an_interval_with_room_by_every_metric() -> None:
    """A resample never draws a row that tells them apart, which is no evidence that there is none."""
    first, _ = two_models(40)
    for metric in TASK.METRICS:
        found = compare(("fp32", "champion"), metric, first, first, Resampling(200, 0)).difference
        assert found.value == 0 and found.lower < -0.05 and found.upper > 0.05


def test_rows_of_one_group_are_resampled_together() -> None:
    """Every row ten times over tells no more than once, where the copies are one group."""
    first, second = two_models(60)
    ten = [Counts(600, of.keys, np.concatenate([of.record + 60 * copy for copy in range(10)]),
                  np.tile(of.key, 10), np.tile(of.number, 10)) for of in (first, second)]  # fmt: skip
    groups = np.tile(np.arange(60), 10)
    once, copied, grouped = (
        compare(("fp32", "champion"), MACRO_F1, *pair, Resampling(2000, 0), units=unit).difference
        for pair, unit in (((first, second), None), (ten, None), (ten, groups))
    )
    width = [found.upper - found.lower for found in (once, copied, grouped)]
    assert width[1] < 0.5 * width[0] and width[2] == pytest.approx(width[0], rel=0.1)
    assert grouped.n == 60
