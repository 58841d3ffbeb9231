"""Reading the words for blanks, and what they are worth: blanks with the right word, first or among five."""

import math
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.statistics.ratios import share
from tunegate.task import Counts, Fitted, Metric, Reading, Sums
from tunegate.text.blanks import BLANK, count_blanks, same_word
from tunegate.windows import Arrays, Windows

Floats = NDArray[np.float64]

FIRST = 5  # words among which the right one counts as found
KEYS = ("n", "correct", "blanks", "right", "right in five")


def _accuracy(sums: Sums) -> Floats:
    return share(sums, "right", "blanks")


def _top_five(sums: Sums) -> Floats:
    return share(sums, "right in five", "blanks")


METRICS = (
    Metric("word_accuracy", "words right", True, "record", _accuracy),
    Metric("top_five", "right word among five", True, "record", _top_five),
)

BASELINES = (FREQUENT,) = ("frequent",)

SCHEMA = pa.schema(
    [
        pa.field("text", pa.string()),
        pa.field("words", pa.list_(pa.list_(pa.string()))),  # for each blank the likeliest, the best first
        pa.field("shares", pa.list_(pa.list_(pa.float64()))),
        pa.field("margin", pa.float64()),
        pa.field("confidence", pa.float64()),
    ]
)


def fit(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> Fitted:
    return {}


def decode(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> pa.Table:
    if reading.tokenizer is None:
        raise TypeError("words are read with the tokenizer that they were made with")
    tokenizer = reading.tokenizer.tokenizer
    word = cache(lambda number: str(tokenizer.decode([number], skip_special_tokens=False)).strip())
    flat = np.flatnonzero(windows.tokens["asked"] > 0)
    window = np.searchsorted(windows.offsets, flat, side="right") - 1
    place = flat - windows.offsets[window]
    best = np.asarray(outputs["top_words"])[window, place].astype(np.int64)
    shares = np.exp(np.asarray(outputs["top_scores"], dtype=np.float64)[window, place])
    texts = records["text"].to_pylist()
    found: list[list[tuple[list[str], list[float]]]] = [[] for _ in texts]
    for record, numbers, own in zip(windows.record[window].tolist(), best.tolist(), shares.tolist(), strict=True):
        found[record].append(([word(number) for number in numbers], own))
    return _answers(texts, found)


def _answers(texts: list[str], found: list[list[tuple[list[str], list[float]]]]) -> pa.Table:
    """Per text, for each blank its words and their probabilities."""
    rows = [
        {
            "text": text,
            "words": [words for words, _ in blanks],
            "shares": [shares for _, shares in blanks],
            "margin": min((shares[0] - shares[1] for _, shares in blanks), default=math.inf),
            "confidence": float(np.clip(math.prod(shares[0] for _, shares in blanks), 0, 1)),
        }
        for text, blanks in zip(texts, found, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def responses(answers: pa.Table, labels: list[str], with_scores: bool) -> list[dict[str, Any]]:
    return [_response(row, with_scores) for row in answers.to_pylist()]


def _response(row: Mapping[str, Any], with_scores: bool) -> dict[str, Any]:
    best = [words[0] for words in row["words"]]
    said = {"words": best, "text": _put(row["text"], best), "confidence": row["confidence"]}
    if with_scores:
        said["candidates"] = [
            [{"word": word, "probability": share} for word, share in zip(words, shares, strict=True)]
            for words, shares in zip(row["words"], row["shares"], strict=True)
        ]
    return said


def _put(text: str, words: list[str]) -> str:
    """The text with a word in each blank, in their order."""
    coming = iter(words)
    return BLANK.sub(lambda blank: next(coming, blank[0]), text)


def decided(answers: pa.Table) -> list[str]:
    return [" | ".join(words[0] for words in own) for own in answers["words"].to_pylist()]


def scores(answers: pa.Table) -> Floats:
    """The probabilities of each blank's words, blank after blank: [blanks, words]."""
    flat = answers["shares"].combine_chunks().flatten()
    return np.asarray(flat.flatten(), dtype=np.float64).reshape(len(flat), -1) if len(flat) else np.zeros((0, 1))


def margins(answers: pa.Table) -> Floats:
    return np.asarray(answers["margin"], dtype=np.float64)


def confidence(answers: pa.Table) -> Floats:
    return np.asarray(answers["confidence"], dtype=np.float64)


def counts(answers: pa.Table, records: pa.Table, labels: list[str]) -> Counts:
    """Per record: `n`, `correct` (every word), `blanks`, those `right`, and `right in five`. Case and accents do not
    count."""
    entries: list[tuple[int, int, float]] = []
    pairs = zip(records["words"].to_pylist(), answers["words"].to_pylist(), strict=True)
    for row, (wanted, given) in enumerate(pairs):
        hits = [[same_word(word, each) for each in words[:FIRST]] for word, words in zip(wanted, given, strict=True)]
        first = sum(any(own[:1]) for own in hits)
        numbers = (1, int(first == len(wanted)), len(wanted), first, sum(map(any, hits)))
        entries += [(row, key, float(number)) for key, number in enumerate(numbers) if number]
    record, key, number = zip(*entries, strict=True) if entries else ((), (), ())
    return Counts(
        len(records),
        KEYS,
        np.array(record, dtype=np.int64),
        np.array(key, dtype=np.int32),
        np.array(number, dtype=np.float64),
    )


def baselines(train: pa.Table, test: pa.Table, labels: list[str], seed: int) -> dict[str, tuple[str, pa.Table]]:
    """The words that fill most blanks of the training rows."""
    known = Counter(word.lower() for own in train["words"].to_pylist() for word in own)
    most = known.most_common(FIRST)
    words = [word for word, _ in most] + [""] * (FIRST - len(most))
    shares = [number / known.total() for _, number in most] + [0.0] * (FIRST - len(most))
    texts = test["text"].to_pylist()
    found = [[(words, shares)] * count_blanks(text) for text in texts]
    return {FREQUENT: ("always the words that fill most blanks in training", _answers(texts, found))}


def cells(record: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str]:
    shown = {
        "text": str(record["text"]),
        "answer": ", ".join(words[0] for words in answer["words"]),
        "confidence": f"{float(answer['confidence']):.2f}",
    }
    return {**shown, "label": ", ".join(record["words"])} if record.get("words") else shown
