"""Reading spans, and what they are worth: F1 and exact match as SQuAD counts, and CMRC 2018 where texts are Chinese."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.statistics.calibration import fit_temperature_of_best, softmax
from tunegate.statistics.margins import best_above_second
from tunegate.statistics.ratios import share
from tunegate.task import Counts, Fitted, Metric, Reading, Sums
from tunegate.text.answer_places import trimmed
from tunegate.text.best_spans import Found, Span, best_spans
from tunegate.text.likeness import by_characters, f1, is_exact, segments
from tunegate.text.no_answer import best_threshold
from tunegate.windows import Arrays, Windows

Floats = NDArray[np.float64]

MOST = 10  # spans that are weighed against each other: what is beyond them hardly weighs
NONE = "(no answer)"
AROUND = 60  # characters of the passage that a table shows beside the answer
TEMPERATURE, THRESHOLD = "temperature", "no_answer_above"

SCHEMA = pa.schema(
    [
        pa.field("text", pa.string()),  # null: there is none
        pa.field("start", pa.int32()),
        pa.field("end", pa.int32()),
        pa.field("confidence", pa.float64()),
        pa.field("none", pa.float64()),  # the probability that there is none
        pa.field(
            "spans",
            pa.list_(
                pa.struct(
                    [
                        pa.field("text", pa.string()),
                        pa.field("start", pa.int32()),
                        pa.field("end", pa.int32()),
                        pa.field("score", pa.float64()),
                    ]
                )
            ),
        ),
    ]
)


def _f1(sums: Sums) -> Floats:
    return share(sums, "f1", "n")


def _exact(sums: Sums) -> Floats:
    return share(sums, "correct", "n")


METRICS = (
    Metric("f1", "F1", True, "record", _f1),
    Metric("exact_match", "exact match", True, "record", _exact, proportion=True),
)

BASELINES = SENTENCE, NEVER = "sentence", "none"


def fit(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> Fitted:
    """A threshold for "no answer" only where some of the rows have none: else the passage is taken to hold one."""
    passages = _passages(records)
    found = _found(outputs, windows, passages, reading)
    right = _texts(records)
    fitted: Fitted = {}
    read = [row for row in zip(found, passages, right, strict=True) if row[0].spans]
    if read and not all(right):
        fitted[THRESHOLD] = best_threshold(
            np.array([one.none - one.spans[0][1] for one, _, _ in read]),
            np.array([f1(answers, None, by_characters(passage)) for _, passage, answers in read]),
            np.array([f1(answers, _best(one, passage), by_characters(passage)) for one, passage, answers in read]),
        )
    table = _answers(found, passages, {**fitted, TEMPERATURE: 1.0})
    exact = _counted(table, records)[1]
    fitted[TEMPERATURE] = fit_temperature_of_best(_scores(found, fitted), exact > 0)
    return fitted


def decode(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> pa.Table:
    passages = _passages(records)
    return _answers(_found(outputs, windows, passages, reading), passages, reading.fitted)


def _passages(records: pa.Table) -> list[str]:
    return [passage or "" for passage in records["passage"].to_pylist()]


def _found(outputs: Arrays, windows: Windows, passages: list[str], reading: Reading) -> list[Found]:
    """Spans without white space at their ends; of some tokenizers a token is white space alone, which is no answer."""
    longest = int(reading.options["max_answer_tokens"])
    found = best_spans(outputs, windows, len(passages), longest=longest, most=MOST)
    return [Found(one.none, _visible(one, passage)) for one, passage in zip(found, passages, strict=True)]


def _visible(found: Found, passage: str) -> list[tuple[Span, float]]:
    spans: dict[Span, float] = {}
    for span, score in found.spans:
        start, end = trimmed(passage, *span)
        if start < end:
            spans.setdefault((start, end), score)
    return list(spans.items())


def _best(found: Found, passage: str) -> str:
    return passage[slice(*found.spans[0][0])]


def _scores(found: Sequence[Found], fitted: Fitted) -> Floats:
    """[n, 1 + MOST]: of there being no answer, then of the spans, the best first; -inf where there is none of them."""
    scores = np.full((len(found), 1 + MOST), -np.inf)
    threshold = fitted.get(THRESHOLD)
    for row, one in enumerate(found):
        scores[row, 1 : 1 + len(one.spans)] = [score for _, score in one.spans]
        if isinstance(threshold, float):
            scores[row, 0] = one.none - threshold
        elif not one.spans:
            scores[row, 0] = 0.0  # nothing of the passage can be read
    return scores


def _answers(found: Sequence[Found], passages: Sequence[str], fitted: Fitted) -> pa.Table:
    temperature = fitted.get(TEMPERATURE, 1.0)
    if not isinstance(temperature, float):
        raise TypeError("the fitted temperature is one number")
    scores = _scores(found, fitted)
    probabilities = softmax(scores / temperature) if len(found) else scores
    rows = zip(found, passages, scores.argmax(axis=1).tolist(), probabilities.tolist(), strict=True)
    return pa.Table.from_pylist([_answer(*row) for row in rows], schema=SCHEMA)


def _answer(found: Found, passage: str, chosen: int, probabilities: list[float]) -> dict[str, Any]:
    spans = [
        {"text": passage[start:end], "start": start, "end": end, "score": score}
        for ((start, end), _), score in zip(found.spans, probabilities[1:], strict=False)
    ]
    said = spans[chosen - 1] if chosen else {"text": None, "start": None, "end": None}
    decided = {name: said[name] for name in ("text", "start", "end")}
    return {**decided, "confidence": probabilities[chosen], "none": probabilities[0], "spans": spans}


def responses(answers: pa.Table, labels: list[str], with_scores: bool) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = answers.select(["text", "start", "end", "confidence"]).to_pylist()
    if not with_scores:
        return plain
    weighed = zip(plain, answers["none"].to_pylist(), answers["spans"].to_pylist(), strict=True)
    return [{**answer, "scores": _alternatives(none, spans)} for answer, none, spans in weighed]


def _alternatives(none: float, spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    absent = [{"text": None, "start": None, "end": None, "score": none}] if none > 0 else []
    return sorted([*absent, *spans], key=lambda one: -one["score"])


def decided(answers: pa.Table) -> list[str]:
    return [NONE if text is None else str(text) for text in answers["text"].to_pylist()]


def scores(answers: pa.Table) -> Floats:
    """[n, 1 + MOST]: the probability that there is no answer, then those of the best spans, the highest first."""
    found = np.zeros((len(answers), 1 + MOST))
    for row, (none, spans) in enumerate(zip(answers["none"].to_pylist(), answers["spans"].to_pylist(), strict=True)):
        found[row, 0] = none
        found[row, 1 : 1 + len(spans)] = [span["score"] for span in spans]
    return found


def margins(answers: pa.Table) -> Floats:
    return best_above_second(scores(answers))


def confidence(answers: pa.Table) -> Floats:
    return np.asarray(answers["confidence"].combine_chunks(), dtype=np.float64)


def counts(answers: pa.Table, records: pa.Table, labels: list[str]) -> Counts:
    """Per record: `n`, `correct` (an exact match) and `f1`, between 0 and 1."""
    size = len(records)
    like, exact = _counted(answers, records)
    numbers = np.concatenate([np.ones(size), exact, like])
    there = numbers > 0
    return Counts(
        size,
        ("n", "correct", "f1"),
        np.tile(np.arange(size, dtype=np.int64), 3)[there],
        np.repeat(np.arange(3, dtype=np.int32), size)[there],
        numbers[there],
    )


def _counted(answers: pa.Table, records: pa.Table) -> tuple[Floats, Floats]:
    """F1 and exact match of each record."""
    rows = list(zip(_texts(records), answers["text"].to_pylist(), records["passage"].to_pylist(), strict=True))
    counted = [(right, said, by_characters(passage or "")) for right, said, passage in rows]
    return np.array([f1(*row) for row in counted]), np.array([float(is_exact(*row)) for row in counted])


def _texts(records: pa.Table) -> list[list[str]]:
    return [[one["text"] for one in given or []] for given in records["answers"].to_pylist()]


def baselines(train: pa.Table, test: pa.Table, labels: list[str], seed: int) -> dict[str, tuple[str, pa.Table]]:
    """The sentence that shares most with the question; and, where some questions have no answer, that there is none."""
    asked = list(zip(test["question"].to_pylist(), test["passage"].to_pylist(), strict=True))
    found = [Found(-np.inf, [(_likest(passage, question), 0.0)]) for question, passage in asked]
    passages = [passage for _, passage in asked]
    answers = {SENTENCE: ("the sentence that shares most words with the question", _answers(found, passages, {}))}
    if not all(_texts(train)):
        nothing = [Found(0.0, [])] * len(test)
        answers[NEVER] = ("that there is never an answer", _answers(nothing, passages, {}))
    return answers


SENTENCE_END = re.compile(r"[^。！？!?；\n.]*(?:\.(?=\S)[^。！？!?；\n.]*)*[。！？!?；\n.]*\s*")


def _likest(passage: str, question: str) -> tuple[int, int]:
    """The sentence with most of the question's words (Chinese: characters) among it, the first and shortest of them."""
    wanted = set(segments(question))
    spans = [trimmed(passage, *match.span()) for match in SENTENCE_END.finditer(passage) if match.group().strip()]
    return max(
        spans or [(0, len(passage))],
        key=lambda span: (len(wanted & set(segments(passage[slice(*span)]))), span[0] - span[1]),
    )


def cells(record: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str]:
    shown = {
        "text": f"{record['question']} / {_around(record['passage'], answer['start'], answer['end'])}",
        "answer": NONE if answer["text"] is None else str(answer["text"]),
        "confidence": f"{float(answer['confidence']):.2f}",
    }
    if record.get("answers") is None:
        return shown
    texts = dict.fromkeys(str(one["text"]) for one in record["answers"])
    return {**shown, "label": " | ".join(texts) or NONE}


def _around(passage: str, start: int | None, end: int | None) -> str:
    """The passage near the answer; its beginning where there is none."""
    first, last = max(0, (start or 0) - AROUND), (end or 0) + AROUND
    return ("…" if first else "") + passage[first:last] + ("…" if last < len(passage) else "")
