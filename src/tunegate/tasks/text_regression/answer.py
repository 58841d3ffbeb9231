"""Reading numbers, and what they are worth: how far they lie from the right ones, and whether they rise with them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.statistics.prediction import half_width, pearson, spearman
from tunegate.task import Counts, Fitted, Metric, Reading, Sums
from tunegate.text.bags import bags
from tunegate.text.long_texts import pooled
from tunegate.text.questions import shown
from tunegate.windows import Arrays, Windows

Floats = NDArray[np.float64]

UNFITTED = 2.0  # spreads: as wide as the scores themselves, where there were no rows to fit the interval on
COVERAGE = 0.9
MOMENTS = ("right", "answer", "right squared", "answer squared", "right x answer")


def _mean_absolute_error(sums: Sums) -> Floats:
    return sums.get("absolute error", np.zeros_like(sums["n"])) / sums["n"]


def _root_mean_squared_error(sums: Sums) -> Floats:
    return np.asarray(np.sqrt(sums.get("squared error", np.zeros_like(sums["n"])) / sums["n"]))


def _pearson(sums: Sums) -> Floats:
    zero = np.zeros_like(sums["n"])
    x, y, xx, yy, xy = (sums.get(name, zero) for name in MOMENTS)
    return pearson(sums["n"], x=x, y=y, xx=xx, yy=yy, xy=xy)


def _spearman(rows: Sums) -> Floats:
    zero = np.zeros_like(rows["n"])
    return np.array([spearman(rows.get("right", zero), rows.get("answer", zero))])


def _deviation(sums: Sums) -> Floats:
    """The standard deviation of the right numbers."""
    zero = np.zeros_like(sums["n"])
    mean = sums.get("right", zero) / sums["n"]
    return np.asarray(np.sqrt(np.maximum(sums.get("right squared", zero) / sums["n"] - mean**2, 0.0)))


METRICS = (
    Metric("mae", "mean absolute error", False, "record", _mean_absolute_error, scale=_deviation),
    Metric("rmse", "root mean squared error", False, "record", _root_mean_squared_error, scale=_deviation),
    Metric("pearson", "Pearson's correlation", True, "record", _pearson),
    Metric("spearman", "Spearman's rank correlation", True, "record", _spearman, of_rows=True),
)

BASELINES = MEAN, TFIDF = "mean", "tfidf"


def fit(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> Fitted:
    if not len(records):
        return {}
    measured = pooled(outputs["logits"], windows, len(records), reading.options)[:, 0]
    found = measured * reading.options["spread"] + reading.options["center"]
    half, coverage = half_width(np.abs(found - _right(records)), COVERAGE)
    return {"half_width": half, "coverage": coverage}


def decode(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> pa.Table:
    measured = pooled(outputs["logits"], windows, len(records), reading.options)[:, 0]
    spread, center = float(reading.options["spread"]), float(reading.options["center"])
    half = _number(reading.fitted, "half_width", UNFITTED * spread)
    return _answers(measured * spread + center, half, _number(reading.fitted, "coverage", COVERAGE), measured)


def _number(fitted: Fitted, name: str, otherwise: float) -> float:
    value = fitted.get(name, otherwise)
    if not isinstance(value, float):
        raise TypeError(f"the fitted {name} is one number")
    return value


def _right(records: pa.Table) -> Floats:
    return np.asarray(records["score"].to_numpy(), dtype=np.float64)


def _answers(found: Floats, half: float, coverage: float, measured: Floats) -> pa.Table:
    """`measured`: the same numbers in spreads from the center, which do not depend on the unit."""
    return pa.table(
        {
            "score": found,
            "low": found - half,
            "high": found + half,
            "confidence": np.full(len(found), coverage),
            "measured": measured,
        }
    )


def responses(answers: pa.Table, labels: list[str], with_scores: bool) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = answers.select(["score", "low", "high", "confidence"]).to_pylist()
    return plain


def decided(answers: pa.Table) -> list[str]:
    """Rounded as far as the interval lets one believe it, so that noise of an engine is no other decision."""
    pairs = zip(_column(answers, "score"), _column(answers, "high"), strict=True)
    return [_rounded(score, high - score) for score, high in pairs]


def _rounded(score: float, half: float) -> str:
    digits = 1 - int(np.floor(np.log10(half))) if half > 0 else 6
    return f"{score:.{max(0, min(digits, 6))}f}"


def _column(answers: pa.Table, name: str) -> Floats:
    return np.asarray(answers[name].to_numpy(), dtype=np.float64)


def scores(answers: pa.Table) -> Floats:
    """Squashed into 0 .. 1, as the tolerances of engines are meant [n, 1]."""
    return np.asarray(1 / (1 + np.exp(-np.clip(_column(answers, "measured"), -500, 500))))[:, None]


def margins(answers: pa.Table) -> Floats:
    """A number is near to the next one, always."""
    return np.zeros(len(answers))


def intervals(answers: pa.Table) -> Floats:
    return np.stack([_column(answers, "low"), _column(answers, "high")], axis=1)


def confidence(answers: pa.Table) -> Floats:
    return _column(answers, "confidence")


def counts(answers: pa.Table, records: pa.Table, labels: list[str]) -> Counts:
    """Per record: `n`, `correct` (the right number lies in the answer's interval), errors, and moments of both."""
    right, found = _right(records), _column(answers, "score")
    off, half = np.abs(found - right), _column(answers, "high") - found
    inside = off <= half * (1 + 1e-9) + 1e-12 * np.abs(right)
    table = {
        "n": np.ones(len(records)),
        "correct": inside.astype(np.float64),
        "absolute error": off,
        "squared error": off**2,
        "right": right,
        "answer": found,
        "right squared": right**2,
        "answer squared": found**2,
        "right x answer": right * found,
    }
    rows = np.tile(np.arange(len(records)), len(table))
    keys = np.repeat(np.arange(len(table)), len(records))
    return Counts(
        len(records), tuple(table), rows.astype(np.int64), keys.astype(np.int32), np.concatenate([*table.values()])
    )


def baselines(train: pa.Table, test: pa.Table, labels: list[str], seed: int) -> dict[str, tuple[str, pa.Table]]:
    """The mean of the training rows, and TF-IDF (words and pairs of words) with ridge regression."""
    from sklearn.linear_model import Ridge

    right = _right(train)
    mean, deviation = float(right.mean()), float(right.std()) or 1.0
    known, asked = bags(train, test)
    aside = np.random.default_rng(seed).random(len(right)) < 1 / 5
    if not aside.any() or aside.all():
        aside = np.ones(len(right), dtype=bool)
        learnt = aside
    else:
        learnt = ~aside
    tried = Ridge(alpha=1.0).fit(known[learnt], right[learnt]).predict(known[aside])
    found = np.asarray(Ridge(alpha=1.0).fit(known, right).predict(asked), dtype=np.float64)

    def told(numbers: Floats, errors: Floats) -> pa.Table:
        half, coverage = half_width(np.abs(errors), COVERAGE)
        return _answers(numbers, half, coverage, (numbers - mean) / deviation)

    return {
        MEAN: ("always the mean of the training rows", told(np.full(len(test), mean), right - mean)),
        TFIDF: ("TF-IDF with ridge regression", told(found, tried - right[aside])),
    }


def cells(record: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str]:
    half = float(answer["high"]) - float(answer["score"])
    low, score, high = (_rounded(float(answer[name]), half) for name in ("low", "score", "high"))
    found = {"text": shown(record), "answer": score, "between": f"{low} and {high}"}
    return {**found, "right": f"{record['score']:g}"} if record.get("score") is not None else found
