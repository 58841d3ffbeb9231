"""Reading sets of labels, and what they are worth: F1 over all labels, over each label, and sets right as a whole."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunegate.records import told_set
from tunegate.statistics.label_sets import HALF, fit_binary_temperature, fit_exponent, fit_thresholds, sigmoid
from tunegate.statistics.ratios import ratio
from tunegate.task import Counts, Fitted, Metric, Reading, Sums
from tunegate.text.bags import bags
from tunegate.text.long_texts import pooled
from tunegate.text.questions import shown
from tunegate.windows import Arrays, Windows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

THRESHOLD = "threshold:"  # before a label's name: thresholds go by name, whatever the label file's order


def _f1(gold: Floats, found: Floats, hit: Floats) -> Floats:
    return ratio(2 * hit, gold + found)


def _micro_f1(sums: Sums) -> Floats:
    zero = np.zeros_like(sums["n"])
    return _f1(sums.get("gold", zero), sums.get("found", zero), sums.get("hit", zero))


def _macro_f1(sums: Sums) -> Floats:
    """Mean F1 over the labels that occur in the rows or in the answers."""
    zero = np.zeros_like(sums["n"])
    prefixes = ("support:", "answered:")
    names = dict.fromkeys(key.partition(":")[2] for key in sums if key.startswith(prefixes))
    if not names:
        return np.full_like(zero, np.nan)
    values = np.stack([_f1(*(sums.get(f"{kind}:{name}", zero) for kind in KINDS)) for name in names])
    occurs = ~np.isnan(values)
    return ratio(np.where(occurs, values, 0.0).sum(axis=0), occurs.sum(axis=0).astype(float))


def _exact_match(sums: Sums) -> Floats:
    return ratio(sums["correct"], sums["n"])


KINDS = ("support", "answered", "hit")

METRICS = (
    Metric("micro_f1", "micro F1", True, "record", _micro_f1),
    Metric("macro_f1", "macro F1", True, "record", _macro_f1),
    Metric("exact_match", "exact match", True, "record", _exact_match, proportion=True),
)

BASELINES = FREQUENT, TFIDF = "frequent", "tfidf"


def fit(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> Fitted:
    logits, truth = pooled(outputs["logits"], windows, len(records), reading.options), _held(records, reading.labels)
    temperature = fit_binary_temperature(logits, truth)
    probabilities = sigmoid(logits / temperature)
    thresholds = fit_thresholds(probabilities, truth)
    chosen = probabilities >= thresholds
    named = {f"{THRESHOLD}{name}": float(value) for name, value in zip(reading.labels, thresholds, strict=True)}
    exponent = fit_exponent(_together(probabilities, chosen), (chosen == truth).all(axis=1))
    return {"temperature": temperature, "exponent": exponent, **named}


def decode(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> pa.Table:
    logits = pooled(outputs["logits"], windows, len(records), reading.options)
    thresholds = np.array([_number(reading.fitted, f"{THRESHOLD}{name}", HALF) for name in reading.labels])
    probabilities = sigmoid(logits / _number(reading.fitted, "temperature", 1.0))
    return _answers(probabilities, thresholds, reading.labels, _number(reading.fitted, "exponent", 1.0))


def _number(fitted: Fitted, name: str, otherwise: float) -> float:
    value = fitted.get(name, otherwise)
    if not isinstance(value, float):
        raise TypeError(f"the fitted {name} is one number")
    return value


def _held(records: pa.Table, labels: list[str]) -> Mask:
    """Which labels each record has, bool [records, labels]; a label that is none of these counts nowhere."""
    return _members(records["labels"].combine_chunks(), labels)


def _members(sets: pa.Array, labels: list[str]) -> Mask:
    held = np.zeros((len(sets), len(labels) + 1), dtype=bool)
    numbers = pc.fill_null(pc.index_in(sets.flatten(), value_set=pa.array(labels, pa.string())), len(labels))
    held[np.asarray(pc.list_parent_indices(sets)), np.asarray(numbers)] = True
    return held[:, :-1]


def _together(probabilities: Floats, chosen: Mask) -> Floats:
    """The probability that every label is decided right, were they independent [n]."""
    right = np.where(chosen, probabilities, 1 - probabilities)
    return np.asarray(np.exp(np.log(np.maximum(right, 1e-12)).sum(axis=1)))


def _answers(probabilities: Floats, thresholds: Floats, labels: list[str], exponent: float = 1.0) -> pa.Table:
    chosen = probabilities >= thresholds
    offsets = np.concatenate([[0], np.cumsum(chosen.sum(axis=1))]).astype(np.int32)
    names = pa.array(labels, pa.string()).take(pa.array(np.nonzero(chosen)[1]))
    count = len(labels)
    return pa.table(
        {
            "labels": pa.ListArray.from_arrays(pa.array(offsets), names),
            "confidence": _together(probabilities, chosen) ** exponent,
            "scores": pa.FixedSizeListArray.from_arrays(pa.array(probabilities.ravel()), count),
            "margin": 2 * np.abs(probabilities - thresholds).min(axis=1, initial=np.inf),
        }
    )


def responses(answers: pa.Table, labels: list[str], with_scores: bool) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = answers.select(["labels", "confidence"]).to_pylist()
    if not with_scores:
        return plain
    return [
        {**answer, "scores": dict(zip(labels, row.tolist(), strict=True))}
        for answer, row in zip(plain, scores(answers), strict=True)
    ]


def decided(answers: pa.Table) -> list[str]:
    return [told_set(sorted(names)) for names in answers["labels"].to_pylist()]


def scores(answers: pa.Table) -> Floats:
    column = answers["scores"].combine_chunks()
    return np.asarray(column.flatten(), dtype=np.float64).reshape(len(answers), -1)


def margins(answers: pa.Table) -> Floats:
    """Twice the distance of the label nearest to its threshold: at one half that is yes above no."""
    return np.asarray(answers["margin"].combine_chunks(), dtype=np.float64)


def confidence(answers: pa.Table) -> Floats:
    return np.asarray(answers["confidence"].combine_chunks(), dtype=np.float64)


def counts(answers: pa.Table, records: pa.Table, labels: list[str]) -> Counts:
    """Per record: `n`, `correct` (the set is right), labels that are right, answered, and both (`gold`, `found`,
    `hit`), and of each label `support:`, `answered:` and `hit:`."""
    truth, given = _held(records, labels), _members(answers["labels"].combine_chunks(), labels)
    hit = truth & given
    totals = np.stack([held.sum(axis=1) for held in (truth, given, hit)], axis=1)
    right = (truth == given).all(axis=1)
    table = np.concatenate([np.ones((len(records), 1)), right[:, None], totals, truth, given, hit], axis=1)
    record, key = np.nonzero(table)
    keys = ("n", "correct", "gold", "found", "hit", *(f"{kind}:{label}" for kind in KINDS for label in labels))
    return Counts(len(records), keys, record.astype(np.int64), key.astype(np.int32), table[record, key])


def baselines(train: pa.Table, test: pa.Table, labels: list[str], seed: int) -> dict[str, tuple[str, pa.Table]]:
    """The labels that stand in at least half of the rows (the most frequent one, where none does), and TF-IDF (words
    and pairs of words) with a logistic regression per label, thresholds fitted on a fifth of the training rows."""
    truth = _held(train, labels)
    shares = truth.mean(axis=0)
    everyone = np.tile(shares, (len(test), 1))
    usual = np.full(len(labels), min(HALF, shares.max(initial=0.0)))
    said = "always the labels of half of the rows, or the most frequent one"
    known, asked = bags(train, test)
    found = _one_versus_rest(known, truth, asked, seed)
    return {
        FREQUENT: (said, _answers(everyone, usual, labels)),
        TFIDF: (
            "TF-IDF with a logistic regression per label",
            _answers(found, _thresholds(known, truth, seed), labels),
        ),
    }


def _thresholds(known: Any, truth: Mask, seed: int) -> Floats:
    """As the model's own are fitted, on rows that were left out for it; one half where there are too few."""
    aside = np.random.default_rng(seed).random(len(truth)) < 1 / 5
    if not aside.any() or aside.all():
        return np.full(truth.shape[1], HALF)
    return fit_thresholds(_one_versus_rest(known[~aside], truth[~aside], known[aside], seed), truth[aside])


def _one_versus_rest(known: Any, truth: Mask, asked: Any, seed: int) -> Floats:
    """Probabilities [asked, labels]; the share itself for a label that all or none of the rows have."""
    from sklearn.linear_model import LogisticRegression

    found = np.tile(truth.mean(axis=0), (asked.shape[0], 1))
    for label in np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0)):
        model = LogisticRegression(C=10.0, max_iter=1000, random_state=seed).fit(known, truth[:, label])
        found[:, label] = model.predict_proba(asked)[:, 1]
    return found


def cells(record: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str]:
    found = {
        "text": shown(record),
        "answer": told_set(answer["labels"]),
        "confidence": f"{float(answer['confidence']):.2f}",
    }
    return {**found, "labels": told_set(record["labels"])} if record.get("labels") is not None else found
