"""Reading tags, and what they are worth: F1 of spans as CoNLL defines it, and the share of words tagged right."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunegate.statistics.calibration import fit_temperature, softmax
from tunegate.statistics.margins import best_above_second
from tunegate.statistics.ratios import ratio, share
from tunegate.task import Counts, Fitted, Metric, Reading, Sums
from tunegate.text.tags import OUTSIDE, Span, spans_of, types_of
from tunegate.text.word_questions import places_of, sizes_of
from tunegate.windows import Arrays, Windows

Floats = NDArray[np.float64]


def _f1(found: str, gold: str, hit: str, sums: Sums) -> Floats:
    zero = np.zeros_like(sums["n"])
    return ratio(2 * sums.get(hit, zero), sums.get(found, zero) + sums.get(gold, zero))


def _span_f1(sums: Sums) -> Floats:
    return _f1("found", "gold", "hit", sums)


def _strict_f1(sums: Sums) -> Floats:
    return _f1("found strictly", "gold", "hit strictly", sums)


def _word_accuracy(sums: Sums) -> Floats:
    return share(sums, "words right", "words")


METRICS = (
    # Of tags that mark no spans (parts of speech) each word is a span of its own, and this is the share of right words.
    Metric("span_f1", "span F1", True, "record", _span_f1),
    Metric("strict_f1", "span F1, strict", True, "record", _strict_f1),
    Metric("word_accuracy", "word accuracy", True, "record", _word_accuracy),
)

BASELINES = LOOKUP, LINEAR = "lookup", "linear"


def fit(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> Fitted:
    logits, _, place = _owned(outputs, windows, records)
    tags = pc.index_in(records["tags"].combine_chunks().flatten(), value_set=pa.array(reading.labels))
    truth = np.asarray(tags.to_numpy(zero_copy_only=False), dtype=np.float64)[place]
    return {"temperature": fit_temperature(logits, truth)}


def decode(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> pa.Table:
    temperature = reading.fitted.get("temperature", 1.0)
    if not isinstance(temperature, float):
        raise TypeError("the fitted temperature is one number")
    logits, words, place = _owned(outputs, windows, records)
    probabilities = np.full((words, len(reading.labels)), 1 / len(reading.labels))  # of words without any token
    probabilities[place] = softmax(logits / temperature)
    return _answers(probabilities, records, reading.labels)


def _owned(outputs: Arrays, windows: Windows, records: pa.Table) -> tuple[Floats, int, NDArray[np.int64]]:
    """Logits [words with tokens, labels], how many words there are, and each one's place among the records' words."""
    sizes = sizes_of(records["tokens"])
    starts = np.cumsum(sizes) - sizes
    flat = np.flatnonzero(windows.positions["owned"] == 1)
    window = np.searchsorted(windows.offsets, flat, side="right") - 1
    logits = np.asarray(outputs["logits"], dtype=np.float64)[window, flat - windows.offsets[window]]
    place = starts[windows.record[window]] + windows.positions["word"][flat]
    return logits, int(sizes.sum()), place


def _answers(probabilities: Floats, records: pa.Table, labels: list[str]) -> pa.Table:
    """`probabilities` [words, labels] of all records' words, one after the other."""
    sizes = sizes_of(records["tokens"])
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    best = probabilities.argmax(axis=1)
    sure = probabilities[np.arange(len(best)), best]
    together = np.concatenate([np.log(np.maximum(sure, 1e-12)), [0.0]])
    lists = pa.array(offsets, pa.int32())
    return pa.table(
        {
            "tokens": records["tokens"].combine_chunks(),
            "starts": places_of(records),
            "tags": pa.ListArray.from_arrays(lists, pa.array(labels).take(pa.array(best))),
            "sureness": pa.ListArray.from_arrays(lists, pa.array(sure, pa.float64())),
            "scores": pa.ListArray.from_arrays(
                pa.array(offsets * len(labels), pa.int32()), pa.array(probabilities.ravel(), pa.float64())
            ),
            "confidence": np.exp(_summed(together, offsets)),
        }
    )


def _summed(values: Floats, offsets: NDArray[np.int32]) -> Floats:
    """Sums of `values[offsets[r]:offsets[r + 1]]`; 0 of nothing."""
    running = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(running[offsets[1:]] - running[offsets[:-1]])


def responses(answers: pa.Table, labels: list[str], with_scores: bool) -> list[dict[str, Any]]:
    return [_response(row, labels, with_scores) for row in answers.to_pylist()]


def _response(row: Mapping[str, Any], labels: list[str], with_scores: bool) -> dict[str, Any]:
    ends = [start + len(token) for start, token in zip(row["starts"], row["tokens"], strict=True)]
    words: list[dict[str, Any]] = [
        {"text": token, "start": start, "end": end, "tag": tag, "confidence": sure}
        for token, start, end, tag, sure in zip(
            row["tokens"], row["starts"], ends, row["tags"], row["sureness"], strict=True
        )
    ]
    if with_scores:
        size = len(labels)
        for number, word in enumerate(words):
            word["scores"] = dict(zip(labels, row["scores"][number * size : (number + 1) * size], strict=True))
    spans = [
        {
            "start": row["starts"][first],
            "end": ends[after - 1],
            "label": label,
            "first": first,
            "last": after - 1,
            "confidence": min(row["sureness"][first:after]),
        }
        for first, after, label in spans_of(row["tags"])
    ]
    return {"spans": spans, "words": words, "confidence": row["confidence"]}


def decided(answers: pa.Table) -> list[str]:
    return [" ".join(tags) for tags in answers["tags"].to_pylist()]


def scores(answers: pa.Table) -> Floats:
    """Of every word of every record, one after the other: [words, labels]."""
    words = int(sizes_of(answers["tokens"]).sum())
    flat = np.asarray(answers["scores"].combine_chunks().flatten(), dtype=np.float64)
    return flat.reshape(words, -1) if words else flat.reshape(0, 1)


def margins(answers: pa.Table) -> Floats:
    """Of the word that was decided most narrowly."""
    sizes = sizes_of(answers["tokens"])
    narrow = np.full(len(answers), np.inf)
    np.minimum.at(narrow, np.repeat(np.arange(len(answers)), sizes), best_above_second(scores(answers)))
    return narrow


def confidence(answers: pa.Table) -> Floats:
    return np.asarray(answers["confidence"].combine_chunks(), dtype=np.float64)


def counts(answers: pa.Table, records: pa.Table, labels: list[str]) -> Counts:
    """Per record: `n`, `correct` (every tag is right), words, spans (gold, found, hit; strictly, an `I-` that goes on
    with nothing is no span), and by type `support:`, `answered:` and `hit:`."""
    types = types_of(labels)
    keys = (
        "n", "correct", "words", "words right", "gold", "found", "hit", "found strictly", "hit strictly",
        *(f"{kind}:{name}" for kind in ("support", "answered", "hit") for name in types),
    )  # fmt: skip
    number = {key: place for place, key in enumerate(keys)}
    entries: list[tuple[int, int, float]] = []
    pairs = zip(records["tags"].to_pylist(), answers["tags"].to_pylist(), strict=True)
    for row, (truth, given) in enumerate(pairs):
        for key, value in _counted(truth or [], given).items():
            if key in number:
                entries.append((row, number[key], float(value)))
    rows, places, values = zip(*entries, strict=True) if entries else ((), (), ())
    return Counts(
        len(records),
        keys,
        np.array(rows, dtype=np.int64),
        np.array(places, dtype=np.int32),
        np.array(values, dtype=np.float64),
    )


def _counted(truth: list[str], given: list[str]) -> Counter[str]:
    right = sum(one == other for one, other in zip(truth, given, strict=False))
    gold, found, strictly = set(spans_of(truth)), set(spans_of(given)), set(spans_of(given, strict=True))
    sums = Counter(
        {
            "n": 1,
            "correct": int(truth == given),
            "words": len(truth),
            "words right": right,
            "gold": len(gold),
            "found": len(found),
            "hit": len(gold & found),
            "found strictly": len(strictly),
            "hit strictly": len(gold & strictly),
        }
    )
    for kind, spans in (("support", gold), ("answered", found), ("hit", gold & found)):
        sums.update(f"{kind}:{span[2]}" for span in spans)
    return +sums


def baselines(train: pa.Table, test: pa.Table, labels: list[str], seed: int) -> dict[str, tuple[str, pa.Table]]:
    """The tag that a word has most often, and logistic regression over a word, its neighbours and its shape."""
    known: dict[str, Counter[str]] = {}
    for words, tags in zip(train["tokens"].to_pylist(), train["tags"].to_pylist(), strict=True):
        for word, tag in zip(words, tags, strict=True):
            known.setdefault(word, Counter())[tag] += 1
    everywhere = sum(known.values(), Counter())
    usual = OUTSIDE if OUTSIDE in labels else everywhere.most_common(1)[0][0]
    asked = [word for words in test["tokens"].to_pylist() for word in words]
    shares = np.zeros((len(asked), len(labels)))
    for row, word in enumerate(asked):
        found = known.get(word) or Counter({usual: 1})
        for tag, times in found.items():
            shares[row, labels.index(tag)] = times / found.total()
    answers = {LOOKUP: ("the tag that the word has most often in training", _answers(shares, test, labels))}
    if len(everywhere) > 1 and asked:
        answers[LINEAR] = (
            "logistic regression over the word, its neighbours and its shape",
            _answers(_linear(train, test, labels, seed), test, labels),
        )
    return answers


def _linear(train: pa.Table, test: pa.Table, labels: list[str], seed: int) -> Floats:
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.linear_model import SGDClassifier

    hasher = FeatureHasher(n_features=2**20, input_type="string")
    truth = [tag for tags in train["tags"].to_pylist() for tag in tags]
    model = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=8, tol=None, random_state=seed)
    model.fit(hasher.transform(_features(train)), truth)
    found = np.zeros((int(sizes_of(test["tokens"]).sum()), len(labels)))
    found[:, [labels.index(tag) for tag in model.classes_]] = model.predict_proba(hasher.transform(_features(test)))
    return found


def _features(records: pa.Table) -> list[list[str]]:
    return [features for words in records["tokens"].to_pylist() for features in map(_about, _neighbours(words))]


def _neighbours(words: list[str]) -> list[tuple[str, str, str, str, str]]:
    padded = ["<2", "<1", *words, ">1", ">2"]
    return list(zip(padded, padded[1:], padded[2:], padded[3:], padded[4:], strict=False))


def _about(place: tuple[str, str, str, str, str]) -> list[str]:
    word = place[2]
    shape = "".join(
        "A" if char.isupper() else "a" if char.islower() else "1" if char.isdigit() else char for char in word
    )
    names = ("-2", "-1", "0", "+1", "+2")
    around = [f"{name}={other.lower()}" for name, other in zip(names, place, strict=True)]
    return [*around, f"shape={shape[:12]}", f"end={word[-3:].lower()}", f"start={word[:3].lower()}", f"is={word}"]


def cells(record: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str]:
    shown = {
        "text": " ".join(record["tokens"]),
        "answer": _told(record["tokens"], answer["tags"]),
        "confidence": f"{float(answer['confidence']):.2f}",
    }
    return {**shown, "label": _told(record["tokens"], record["tags"])} if record.get("tags") else shown


def _told(words: list[str], tags: list[str]) -> str:
    """The spans in words; `nothing` where there is none."""
    return "; ".join(_span(words, span) for span in spans_of(tags)) or "nothing"


def _span(words: list[str], span: Span) -> str:
    first, after, label = span
    return f"{' '.join(words[first:after])} [{label}]"
