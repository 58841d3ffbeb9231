"""Reading a classifier's answers, and what they are worth."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunegate.statistics.calibration import fit_temperature, softmax
from tunegate.statistics.margins import best_above_second
from tunegate.statistics.ratios import ratio
from tunegate.task import Counts, Fitted, Metric, Reading, Sums
from tunegate.text.bags import bags
from tunegate.text.long_texts import pooled
from tunegate.text.questions import shown
from tunegate.windows import Arrays, Windows


def _accuracy(sums: Sums) -> NDArray[np.float64]:
    return ratio(sums["correct"], sums["n"])


def _macro_f1(sums: Sums) -> NDArray[np.float64]:
    """Mean F1 over the labels that occur, as scikit-learn's `f1_score(average="macro")` has it."""
    values = [_label_f1(sums, key.removeprefix("support:")) for key in sums if key.startswith("support:")]
    values += [
        _label_f1(sums, key.removeprefix("answered:"))
        for key in sums
        if key.startswith("answered:") and f"support:{key.removeprefix('answered:')}" not in sums
    ]
    stacked = np.stack(values)
    occurs = ~np.isnan(stacked)
    return ratio(np.where(occurs, stacked, 0.0).sum(axis=0), occurs.sum(axis=0).astype(float))


def _label_f1(sums: Sums, label: str) -> NDArray[np.float64]:
    zero = np.zeros_like(sums["n"])
    hits = sums.get(f"hit:{label}", zero)
    return ratio(2 * hits, sums.get(f"support:{label}", zero) + sums.get(f"answered:{label}", zero))


METRICS = (
    Metric("accuracy", "accuracy", True, "record", _accuracy, proportion=True),
    Metric("macro_f1", "macro F1", True, "record", _macro_f1),
    # With one label per row, micro F1 is accuracy; both names are expected, so both are reported.
    Metric("micro_f1", "micro F1", True, "record", _accuracy, proportion=True),
)

BASELINES = MAJORITY, TFIDF = "majority", "tfidf"


def fit(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> Fitted:
    truth = np.asarray(pc.index_in(records["label"], value_set=pa.array(reading.labels)).combine_chunks())
    return {"temperature": fit_temperature(pooled(outputs["logits"], windows, len(records), reading.options), truth)}


def decode(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> pa.Table:
    logits = pooled(outputs["logits"], windows, len(records), reading.options)
    temperature = reading.fitted.get("temperature", 1.0)
    if not isinstance(temperature, float):
        raise TypeError("the fitted temperature is one number")
    return _from_probabilities(softmax(logits / temperature), reading.labels)


def responses(answers: pa.Table, labels: list[str], with_scores: bool) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = answers.select(["label", "confidence"]).to_pylist()
    if not with_scores:
        return plain
    rows = scores(answers)
    return [
        {**answer, "scores": dict(zip(labels, row.tolist(), strict=True))}
        for answer, row in zip(plain, rows, strict=True)
    ]


def decided(answers: pa.Table) -> list[str]:
    return [str(label) for label in answers["label"].to_pylist()]


def scores(answers: pa.Table) -> NDArray[np.float64]:
    column = answers["scores"].combine_chunks()
    return np.asarray(column.flatten(), dtype=np.float64).reshape(len(answers), -1)


def margins(answers: pa.Table) -> NDArray[np.float64]:
    return best_above_second(scores(answers))


def confidence(answers: pa.Table) -> NDArray[np.float64]:
    return np.asarray(answers["confidence"].combine_chunks(), dtype=np.float64)


def counts(answers: pa.Table, records: pa.Table, labels: list[str]) -> Counts:
    """Per record: `n`, `correct`, and for its labels `support:`, `answered:` and `hit:`."""
    size = len(records)
    keys = (
        "n",
        "correct",
        *(f"{kind}:{label}" for kind in ("support", "answered", "hit") for label in labels),
    )
    known = pa.array(labels)
    truth = np.asarray(pc.index_in(records["label"], value_set=known).combine_chunks())
    answer = np.asarray(pc.index_in(answers["label"], value_set=known).combine_chunks())
    hit = np.flatnonzero(truth == answer)
    rows = np.arange(size)
    entries = [
        (rows, np.zeros(size)),
        (hit, np.ones(len(hit))),
        (rows, 2 + truth),
        (rows, 2 + len(labels) + answer),
        (hit, 2 + 2 * len(labels) + truth[hit]),
    ]
    record = np.concatenate([row for row, _ in entries]).astype(np.int64)
    key = np.concatenate([number for _, number in entries]).astype(np.int32)
    return Counts(size, keys, record, key, np.ones(len(record)))


def baselines(train: pa.Table, test: pa.Table, labels: list[str], seed: int) -> dict[str, tuple[str, pa.Table]]:
    """The majority label, and TF-IDF (words and pairs of words) with logistic regression."""
    from sklearn.linear_model import LogisticRegression

    truth = train["label"].to_pylist()
    shares = np.array([truth.count(label) / len(truth) for label in labels])
    everyone = np.tile(shares, (len(test), 1))
    answers = {MAJORITY: ("always the most frequent label", _from_probabilities(everyone, labels))}
    if len(set(truth)) < 2:
        return answers
    known, asked = bags(train, test)
    model = LogisticRegression(C=10.0, max_iter=1000, random_state=seed).fit(known, truth)
    probabilities = np.zeros((len(test), len(labels)))
    columns = [labels.index(label) for label in model.classes_]
    probabilities[:, columns] = model.predict_proba(asked)
    answers[TFIDF] = ("TF-IDF with logistic regression", _from_probabilities(probabilities, labels))
    return answers


def _from_probabilities(probabilities: NDArray[np.float64], labels: list[str]) -> pa.Table:
    best = probabilities.argmax(axis=1)
    return pa.table(
        {
            "label": pa.array(labels).take(pa.array(best)),
            "confidence": probabilities[np.arange(len(best)), best],
            "scores": pa.FixedSizeListArray.from_arrays(pa.array(probabilities.ravel()), len(labels)),
        }
    )


def cells(record: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str]:
    found = {
        "text": shown(record),
        "answer": str(answer["label"]),
        "confidence": f"{float(answer['confidence']):.2f}",
    }
    return {**found, "label": str(record["label"])} if record.get("label") else found
