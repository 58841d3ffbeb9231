"""Reading filled-in words and the order of texts, and what they are worth: the loss of words that were hidden."""

import math
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.statistics.calibration import fit_temperature, softmax
from tunegate.statistics.ratios import share
from tunegate.task import Counts, Fitted, Metric, Reading, Sums
from tunegate.text.fill_questions import MASK, NOT_HIDDEN
from tunegate.text.masking import hidden_words
from tunegate.text.sentence_pairs import IN_ORDER
from tunegate.text.words import split_words
from tunegate.windows import Arrays, Windows

Floats = NDArray[np.float64]

KEYS = ("n", "correct", "words", "words right", "loss", "pairs", "pairs right")


def _loss(sums: Sums) -> Floats:
    return share(sums, "loss", "words")


def _pseudo_perplexity(sums: Sums) -> Floats:
    """Of how many words, equally likely, a hidden one might be (Salazar et al. 2020, section 2.3)."""
    return np.asarray(np.exp(_loss(sums)))


def _word_accuracy(sums: Sums) -> Floats:
    return share(sums, "words right", "words")


def _order_accuracy(sums: Sums) -> Floats:
    return share(sums, "pairs right", "pairs")


METRICS = (
    Metric("loss", "loss per hidden word", False, "record", _loss),
    Metric("pseudo_perplexity", "pseudo-perplexity", False, "record", _pseudo_perplexity, best=1.0),
    Metric("word_accuracy", "hidden words found", True, "record", _word_accuracy),
    Metric("order_accuracy", "order of pairs", True, "record", _order_accuracy),
)

BASELINES = (UNIGRAM,) = ("unigram",)

SCHEMA = pa.schema(
    [
        pa.field("masks", pa.list_(pa.list_(pa.string()))),  # the likeliest words at a person's masks
        pa.field("mask_scores", pa.list_(pa.list_(pa.float64()))),
        pa.field("guesses", pa.list_(pa.string())),  # for each hidden word the likeliest
        pa.field("losses", pa.list_(pa.float64())),  # minus the log probability of each hidden word
        pa.field("hits", pa.list_(pa.bool_())),
        pa.field("follows", pa.float64()),  # the probability that the second text follows the first
        pa.field("probabilities", pa.list_(pa.float64())),  # behind all of this, token by token
        pa.field("margin", pa.float64()),
        pa.field("confidence", pa.float64()),
    ]
)


def fit(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> Fitted:
    """A temperature for the order of pairs. Words need none: their loss is what is judged."""
    orders = records["order"].to_pylist() if "order" in records.column_names else []
    pairs = [window for window, record in enumerate(windows.record) if orders and orders[record] is not None]
    if "order_scores" not in outputs or not pairs:
        return {}
    truth = np.array([orders[windows.record[window]] for window in pairs], dtype=np.float64)
    return {"temperature": fit_temperature(np.asarray(outputs["order_scores"], dtype=np.float64)[pairs], truth)}


def decode(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> pa.Table:
    if reading.tokenizer is None:
        raise TypeError("words are read with the tokenizer that they were made with")
    texts = records["text"].to_pylist()
    seconds = records["text_b"].to_pylist() if "text_b" in records.column_names else [None] * len(texts)
    found = _Found(outputs, windows, reading)
    starts = windows.starts(len(records))
    rows = [
        found.answer(range(starts[row], starts[row + 1]), text, second is not None)
        for row, (text, second) in enumerate(zip(texts, seconds, strict=True))
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


class _Found:
    """The outputs, read window by window."""

    def __init__(self, outputs: Arrays, windows: Windows, reading: Reading) -> None:
        assert reading.tokenizer is not None
        self.windows = windows
        self.best = np.asarray(outputs["top_words"]).astype(np.int64)
        self.scores = np.asarray(outputs["top_scores"], dtype=np.float64)
        self.wanted = np.asarray(outputs["asked_scores"], dtype=np.float64)
        self.order = _order_of(outputs, reading.fitted) if "order_scores" in outputs else None
        self.unknown_loss = math.log(reading.tokenizer.vocabulary_size)
        decoder = reading.tokenizer.tokenizer
        self.word = cache(lambda number: str(decoder.decode([number], skip_special_tokens=False)).strip())

    def answer(self, mine: range, text: str | None, is_pair: bool) -> dict[str, Any]:
        hidden = [] if is_pair or MASK in (text or "") else hidden_words(text or "")
        count = len(hidden)
        losses, hits, sure = np.zeros(count), np.ones(count, dtype=bool), np.ones(count)
        met, guesses = np.zeros(count, dtype=bool), [""] * count
        masks: list[list[str]] = []
        mask_scores: list[list[float]] = []
        probabilities: list[float] = []
        margin = math.inf
        for window, place, flat in self._asked(mine):
            best, shares = self.best[window, place], np.exp(self.scores[window, place])
            margin = min(margin, float(shares[0] - shares[1]))
            first = int(self.windows.positions["hidden"][flat])
            if first == NOT_HIDDEN:
                masks.append([self.word(int(number)) for number in best])
                mask_scores.append(shares.tolist())
                probabilities.append(float(shares[0]))
                continue
            share = int(self.windows.positions["sharing"][flat])
            words, wanted = slice(first, first + share), float(self.wanted[window, place])
            met[words] = True
            losses[words] -= wanted / share
            hits[words] &= best[0] == self.windows.tokens["asked"][flat] - 1
            sure[words] *= shares[0] ** (1 / share)
            guesses[first] += self.word(int(best[0])).removeprefix("##")
            probabilities += [float(shares[0]), math.exp(wanted)]
        losses[~met], hits[~met] = self.unknown_loss, False  # the tokenizer does not know them: as likely as any other
        follows = float(self.order[mine[0], IN_ORDER]) if is_pair and self.order is not None and len(mine) else None
        order = [] if follows is None else [follows, 1 - follows]
        shown = [scores[0] for scores in mask_scores]
        return {
            "masks": masks,
            "mask_scores": mask_scores,
            "guesses": guesses,
            "losses": losses,
            "hits": hits,
            "follows": follows,
            "probabilities": probabilities + order,
            "margin": min(margin, abs(order[0] - order[1])) if order else margin,
            "confidence": float(np.clip(np.prod([*sure[met], *shown, max(order, default=1.0)]), 0, 1)),
        }

    def _asked(self, mine: range) -> list[tuple[int, int, int]]:
        """Window, place in it and place in the flat arrays of all that is asked."""
        found = []
        for window in mine:
            start, end = self.windows.offsets[window], self.windows.offsets[window + 1]
            places = np.flatnonzero(self.windows.tokens["asked"][start:end])
            found += [(window, int(place), int(start + place)) for place in places]
        return found


def _order_of(outputs: Arrays, fitted: Fitted) -> Floats:
    """Probabilities [windows, 2]."""
    temperature = fitted.get("temperature", 1.0)
    if not isinstance(temperature, float):
        raise TypeError("the fitted temperature is one number")
    return np.asarray(softmax(np.asarray(outputs["order_scores"], dtype=np.float64) / temperature))


def responses(answers: pa.Table, labels: list[str], with_scores: bool) -> list[dict[str, Any]]:
    return [_response(row) for row in answers.to_pylist()]


def _response(row: Mapping[str, Any]) -> dict[str, Any]:
    masks = [
        [{"word": word, "probability": share} for word, share in zip(words, shares, strict=True)]
        for words, shares in zip(row["masks"], row["mask_scores"], strict=True)
    ]
    said: dict[str, Any] = {"masks": masks, "confidence": row["confidence"]}
    if row["follows"] is not None:
        said["follows"] = row["follows"]
    if row["losses"]:
        said |= {"hidden": len(row["losses"]), "loss": sum(row["losses"]) / len(row["losses"])}
    return said


def decided(answers: pa.Table) -> list[str]:
    return [_told(row) for row in answers.select(["masks", "guesses", "follows"]).to_pylist()]


def _told(row: Mapping[str, Any]) -> str:
    order = [] if row["follows"] is None else ["follows" if row["follows"] >= 0.5 else "does not follow"]
    return " | ".join([*(words[0] for words in row["masks"]), *row["guesses"], *order])


def scores(answers: pa.Table) -> Floats:
    return np.asarray(answers["probabilities"].combine_chunks().flatten(), dtype=np.float64)[:, None]


def margins(answers: pa.Table) -> Floats:
    return np.asarray(answers["margin"], dtype=np.float64)


def confidence(answers: pa.Table) -> Floats:
    return np.asarray(answers["confidence"], dtype=np.float64)


def counts(answers: pa.Table, records: pa.Table, labels: list[str]) -> Counts:
    """Per record: `n`, `correct` (every hidden word and the order), hidden `words`, those `right`, their summed `loss`,
    and `pairs` whose order is known."""
    orders = records["order"].to_pylist() if "order" in records.column_names else [None] * len(records)
    entries = [
        (row, KEYS.index(key), float(value))
        for row, (answer, order) in enumerate(zip(answers.to_pylist(), orders, strict=True))
        for key, value in _counted(answer, order).items()
        if value
    ]
    record, key, number = zip(*entries, strict=True) if entries else ((), (), ())
    return Counts(
        len(records),
        KEYS,
        np.array(record, dtype=np.int64),
        np.array(key, dtype=np.int32),
        np.array(number, dtype=np.float64),
    )


def _counted(answer: Mapping[str, Any], order: int | None) -> dict[str, float]:
    asked = order is not None and answer["follows"] is not None
    right = asked and (answer["follows"] >= 0.5) == (order == IN_ORDER)
    return {
        "n": 1,
        "correct": all(answer["hits"]) and (right or not asked),
        "words": len(answer["losses"]),
        "words right": sum(answer["hits"]),
        "loss": sum(answer["losses"]),
        "pairs": asked,
        "pairs right": right,
    }


def baselines(train: pa.Table, test: pa.Table, labels: list[str], seed: int) -> dict[str, tuple[str, pa.Table]]:
    """Each hidden word as likely as it is often in training, one added to every word's count; pairs are not told."""
    known = Counter(
        word
        for name in ("text", "text_b")
        for text in train[name].to_pylist()
        for word in split_words((text or "").lower())[0]
    )
    total = sum(known.values()) + len(known) + 1  # one more for all words that are not in training
    usual = known.most_common(1)[0][0] if known else ""
    rows = [
        _usual(known, total, usual, text or "", second is not None)
        for text, second in zip(test["text"].to_pylist(), test["text_b"].to_pylist(), strict=True)
    ]
    what = "words as often as they stand in training"
    return {UNIGRAM: (what, pa.Table.from_pylist(rows, schema=SCHEMA))}


def _usual(known: Counter[str], total: int, usual: str, text: str, is_pair: bool) -> dict[str, Any]:
    hidden = [] if is_pair else [text[start:end].lower() for start, end in hidden_words(text)]
    share = (known[usual] + 1) / total
    return {
        "masks": [],
        "mask_scores": [],
        "guesses": [usual] * len(hidden),
        "losses": [-math.log((known[word] + 1) / total) for word in hidden],
        "hits": [word == usual for word in hidden],
        "follows": 0.5 if is_pair else None,
        "probabilities": [share] * len(hidden),
        "margin": 0.0,
        "confidence": 0.5 if is_pair else share ** len(hidden),
    }


def cells(record: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str]:
    text, second = str(record["text"]), record.get("text_b")
    guesses = zip([] if second else hidden_words(text), answer["guesses"], strict=False)
    told = [f"{guess} for {text[start:end]}" for (start, end), guess in guesses]
    told += [words[0] for words in answer["masks"]]
    if answer["follows"] is not None:
        told.append("follows" if answer["follows"] >= 0.5 else "does not follow")
    shown = {"text": f"{text} / {second}" if second else text, "answer": "; ".join(told) or "nothing"}
    return {**shown, "confidence": f"{float(answer['confidence']):.2f}"}
