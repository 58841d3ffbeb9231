"""Numbers in the user's own unit: learnt in another measure, served and judged in theirs, errors counted downwards."""

import numpy as np
import pyarrow as pa
import pytest

from tests.tiny import tiny_tokenizer
from tunegate.errors import UserError
from tunegate.evaluation.contest import Contest, Facts, findings
from tunegate.evaluation.findings import Latency
from tunegate.evaluation.leave_outs import LeaveOuts
from tunegate.evaluation.rivals import Rival
from tunegate.evaluation.scores import Resampling, compare, estimate, scale_of
from tunegate.gate.against import no_regression
from tunegate.gate.baseline import beats_baselines
from tunegate.gate.checks import Evidence
from tunegate.inputs import Reference
from tunegate.params import GateSettings
from tunegate.task import Reading
from tunegate.tasks import answering_of, encoding_of, options_of, record_of
from tunegate.text.tokens import load_tokenizer

TASK = "text_regression"
ANSWERING, ENCODING, RECORD = answering_of(TASK), encoding_of(TASK), record_of(TASK)
MAE, _, PEARSON, SPEARMAN = ANSWERING.METRICS
FEW = Resampling(400, 0)
DEGREES = {"center": 60.0, "spread": 15.0}


def rows(scores: np.ndarray) -> pa.Table:
    count = len(scores)
    texts = {"text": [f"word{n % 50} of row {n}" for n in range(count)], "text_b": pa.nulls(count, pa.string())}
    ids = {"id": [f"r{n}" for n in range(count)], "source": ["a.csv"] * count, "source_line": list(range(count))}
    return pa.table({**ids, **texts, "score": scores})


def answered(found: np.ndarray, half: float = 1.0) -> pa.Table:
    """Answers with intervals of this half width."""
    plain = {"score": found, "low": found - half, "high": found + half}
    return pa.table({**plain, "confidence": np.full(len(found), 0.9), "measured": found})


def test_what_is_learnt_in_one_measure_is_said_in_the_other(tmp_path_factory: pytest.TempPathFactory) -> None:
    records = rows(np.array([20.0, 60.0, 75.0, 97.5]))
    tokenizer = load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("t"), records["text"].to_pylist()))
    options = options_of(TASK).model_validate(DEGREES).model_dump(mode="json")
    windows = ENCODING.encode(records, tokenizer, 16, options)
    target = ENCODING.target(records, windows, [], options).rows["labels"]
    assert target.tolist() == pytest.approx([-40 / 15, 0, 1, 2.5])
    outputs = {"logits": target[:, None]}
    reading = Reading([], ANSWERING.fit(outputs, windows, records, Reading([], {}, options)), options)
    said = ANSWERING.responses(ANSWERING.decode(outputs, windows, records, reading), [], False)
    assert [answer["score"] for answer in said] == pytest.approx([20, 60, 75, 97.5])


def test_a_measure_in_which_nothing_is_learnt_is_refused_with_a_better_one(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    records = rows(np.linspace(40, 80, 20))
    tokenizer = load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("t"), records["text"].to_pylist()))
    options = options_of(TASK)().model_dump(mode="json")
    windows = ENCODING.encode(records, tokenizer, 16, options)
    with pytest.raises(UserError) as caught:
        ENCODING.target(records, windows, [], options)
    assert "center: 60, spread: 12.1" in caught.value.remedy
    assert RECORD.first_options(records) == {"center": 60.0, "spread": 12.1}  # type: ignore[attr-defined]


@pytest.mark.parametrize("cell", ["many", "nan", "inf", "[1]", "true", ""])
def test_what_is_no_number_is_said(cell: str) -> None:
    parse = next(column.parse for column in RECORD.PAYLOAD if column.name == "score")
    assert parse is not None and parse("-1.5e2") == -150
    with pytest.raises(ValueError, match=r"is no (finite )?number"):
        parse(cell)


def test_metrics_are_those_of_their_names_with_intervals_around_them() -> None:
    from scipy import stats

    random = np.random.default_rng(0)
    right = random.normal(60, 15, 300)
    found = right + random.normal(2, 10, 300)
    counts = ANSWERING.counts(answered(found), rows(right), [])
    wanted = {
        "mae": np.abs(found - right).mean(),
        "rmse": np.sqrt(((found - right) ** 2).mean()),
        "pearson": stats.pearsonr(found, right).statistic,
        "spearman": stats.spearmanr(found, right).statistic,
    }
    for metric in ANSWERING.METRICS:
        told = estimate(metric, counts, FEW)
        assert told.value == pytest.approx(wanted[metric.name])
        assert told.low < told.value < told.high
        assert told.n == 300
    assert scale_of(MAE, counts) == pytest.approx(right.std())


def evidence(noise: float, champion: float | None = None, baseline: float = 15.0, unit: float = 1.0) -> Evidence:
    """Of a candidate (and a champion) whose answers lie so far off, in a unit; margin 0.05."""
    random = np.random.default_rng(1)
    right = random.normal(60, 15, 800)
    records = rows(right * unit)

    def lying(off: float) -> pa.Table:
        return answered((right + off * random.normal(0, 1, 800)) * unit, off * unit)

    nobody = np.zeros(800, dtype=bool)
    left_out = LeaveOuts(nobody, nobody, nobody)
    rivals = []
    if champion is not None:
        reference = Reference(hash="x", version="v1.0.0", run="r")
        rivals = [
            Rival("champion", reference, answers=lying(champion), precision="fp32", digest="d", left_out=left_out)
        ]
    cheap = {name: (name, lying(baseline)) for name in ANSWERING.BASELINES}
    contest = Contest(TASK, RECORD.PAYLOAD, ANSWERING, [], records, {"fp32": lying(noise)}, cheap, rivals, left_out)
    found = findings(contest, Facts("export", "answers", 0, 1.0), FEW)
    return Evidence(found, Latency(cpu="", threads=1, times={}), GateSettings(margin=0.05))


def test_a_smaller_error_beats_the_baselines_and_a_larger_one_does_not() -> None:
    assert [check.verdict for check in beats_baselines(evidence(5.0))] == ["PASS", "PASS"]
    assert [check.verdict for check in beats_baselines(evidence(20.0))] == ["FAIL", "FAIL"]


@pytest.mark.parametrize("unit", [1.0, 0.001, 1000.0])
def test_a_margin_is_a_share_of_the_numbers_spread_whatever_their_unit(unit: float) -> None:
    """0.05 of 15 is 0.75: mean errors of 8.0 and 8.2 (standard deviations of 10 and 10.25) are alike, 9.6 is not."""
    verdicts = [no_regression(evidence(noise, 10.0, unit=unit))[0].verdict for noise in (5.0, 10.0, 13.0)]
    assert verdicts[0] == "PASS" and verdicts[1] != "FAIL" and verdicts[2] == "FAIL"
    [check] = no_regression(evidence(5.0, 10.0, unit=unit))
    assert check.threshold == pytest.approx(0.05 * 15 * unit, rel=0.1)
    assert check.estimate is not None and check.estimate < 0  # the error shrank


def test_a_comparison_of_errors_is_the_difference_of_their_means() -> None:
    random = np.random.default_rng(3)
    right = random.normal(0, 1, 500)
    first, second = right + 0.2, right - 0.5
    ours, theirs = (ANSWERING.counts(answered(found), rows(right), []) for found in (first, second))
    pair = compare(("fp32", "mean"), MAE, ours, theirs, FEW)
    assert pair.difference.value == pytest.approx(-0.3)
    assert (pair.wins, pair.losses) == (None, None)
