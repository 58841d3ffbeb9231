"""Reading stars, and what they are worth: how many are right, and how far off the others are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.statistics.calibration import fit_temperature, softmax
from tunegate.statistics.margins import best_above_second
from tunegate.task import Counts, Fitted, Metric, Reading, Sums
from tunegate.windows import Arrays, Windows

Floats = NDArray[np.float64]


def _right(sums: Sums) -> Floats:
    return np.asarray(sums["correct"] / sums["n"])


def _off(sums: Sums) -> Floats:
    return np.asarray(sums.get("off", np.zeros_like(sums["n"])) / sums["n"])


METRICS = (
    Metric("right", "share of right stars", True, "record", _right, proportion=True),
    Metric("off", "mean distance in stars", False, "record", _off),
)
USUAL = "usual"
BASELINES = (USUAL,)


def fit(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> Fitted:
    if not len(records):
        return {}
    return {"temperature": fit_temperature(np.asarray(outputs["logits"], dtype=np.float64), _given(records) - 1)}


def decode(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> pa.Table:
    temperature = reading.fitted.get("temperature", 1.0)
    assert isinstance(temperature, float)
    return _answers(softmax(np.asarray(outputs["logits"], dtype=np.float64) / temperature))


def _answers(shares: Floats) -> pa.Table:
    return pa.table(
        {
            "stars": pa.array(shares.argmax(axis=1) + 1, pa.int32()),
            "confidence": shares.max(axis=1),
            "shares": pa.FixedSizeListArray.from_arrays(pa.array(shares.ravel()), shares.shape[1]),
        }
    )


def _given(records: pa.Table) -> NDArray[np.int64]:
    return np.asarray(records["stars"].to_numpy(), dtype=np.int64)


def responses(answers: pa.Table, labels: list[str], with_scores: bool) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = answers.select(["stars", "confidence"]).to_pylist()
    return plain


def decided(answers: pa.Table) -> list[str]:
    return [str(number) for number in answers["stars"].to_pylist()]


def scores(answers: pa.Table) -> Floats:
    flat = answers["shares"].combine_chunks().flatten()
    return np.asarray(flat, dtype=np.float64).reshape(len(answers), -1)


def margins(answers: pa.Table) -> Floats:
    return best_above_second(scores(answers))


def confidence(answers: pa.Table) -> Floats:
    return np.asarray(answers["confidence"].combine_chunks(), dtype=np.float64)


def counts(answers: pa.Table, records: pa.Table, labels: list[str]) -> Counts:
    off = np.abs(_given(answers) - _given(records)).astype(np.float64)
    rows = np.arange(len(records))
    number = np.concatenate([np.ones(len(rows)), off == 0, off])
    keys = np.repeat(np.arange(3, dtype=np.int32), len(rows))
    return Counts(len(rows), ("n", "correct", "off"), np.tile(rows, 3).astype(np.int64), keys, number)


def baselines(train: pa.Table, test: pa.Table, labels: list[str], seed: int) -> dict[str, tuple[str, pa.Table]]:
    shares = np.bincount(_given(train) - 1, minlength=5) / len(train)
    return {USUAL: ("always the most frequent stars", _answers(np.tile(shares, (len(test), 1))))}


def cells(record: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str]:
    return {"text": str(record["review"]), "answer": str(answer["stars"])}
