"""Reading choices, and what they are worth: accuracy, and how far down the right option stands."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunegate.statistics.calibration import fit_temperature, softmax
from tunegate.statistics.margins import best_above_second
from tunegate.statistics.ratios import ratio
from tunegate.task import Counts, Fitted, Metric, Reading, Sums
from tunegate.text.choice_windows import options_at
from tunegate.text.option_bags import differences, option_bags
from tunegate.windows import Arrays, Windows

Floats = NDArray[np.float64]
NOTHING = -np.inf  # the score of an option that is not there


def _accuracy(sums: Sums) -> Floats:
    return ratio(sums["correct"], sums["n"])


def _reciprocal_rank(sums: Sums) -> Floats:
    return ratio(sums["reciprocal rank"], sums["n"])


METRICS = (
    Metric("accuracy", "accuracy", True, "record", _accuracy, proportion=True),
    Metric("mean_reciprocal_rank", "mean reciprocal rank", True, "record", _reciprocal_rank),
)

BASELINES = POSITION, TFIDF = "position", "tfidf"


def fit(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> Fitted:
    scores = _scores(outputs, windows, len(records))
    return {"temperature": fit_temperature(scores, np.asarray(records["answer"].combine_chunks()))}


def decode(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> pa.Table:
    temperature = reading.fitted.get("temperature", 1.0)
    if not isinstance(temperature, float):
        raise TypeError("the fitted temperature is one number")
    return _answers(softmax(_scores(outputs, windows, len(records)) / temperature), records)


def _scores(outputs: Arrays, windows: Windows, records: int) -> Floats:
    """[records, most options], NOTHING where a record has fewer."""
    logits = np.asarray(outputs["logits"], dtype=np.float64)
    if "option" in windows.positions:
        window, place, number = options_at(windows)
        record, scores = windows.record[window], logits[window, place, 0]
    else:
        record, number, scores = windows.record, windows.number.astype(np.int64), logits[:, 0]
    table = np.full((records, int(number.max(initial=0)) + 1), NOTHING)
    table[record, number] = scores
    return table


def _answers(probabilities: Floats, records: pa.Table) -> pa.Table:
    """`probabilities` [records, most options]; 0 for options that are not there."""
    lists = records["options"].combine_chunks()
    sizes = _sizes(lists)
    best = probabilities.argmax(axis=1)
    firsts = np.cumsum(sizes) - sizes
    there = np.arange(probabilities.shape[1]) < sizes[:, None]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.table(
        {
            "choice": pa.array(best, pa.int32()),
            "option": lists.flatten().take(pa.array(firsts + best)),
            "confidence": probabilities[np.arange(len(best)), best],
            "scores": pa.ListArray.from_arrays(pa.array(offsets), pa.array(probabilities[there], pa.float64())),
        }
    )


def _sizes(lists: pa.ListArray) -> NDArray[np.int64]:
    return np.asarray(pc.list_value_length(lists), dtype=np.int64)


def responses(answers: pa.Table, labels: list[str], with_scores: bool) -> list[dict[str, Any]]:
    names = ["choice", "option", "confidence", *(["scores"] if with_scores else [])]
    said: list[dict[str, Any]] = answers.select(names).to_pylist()
    return said


def decided(answers: pa.Table) -> list[str]:
    return [str(text) for text in answers["option"].to_pylist()]


def scores(answers: pa.Table) -> Floats:
    """[records, most options], 0 where a record has fewer."""
    lists = answers["scores"].combine_chunks()
    sizes = _sizes(lists)
    table = np.zeros((len(answers), int(sizes.max(initial=0))))
    table[np.arange(table.shape[1]) < sizes[:, None]] = np.asarray(lists.flatten(), dtype=np.float64)
    return table


def margins(answers: pa.Table) -> Floats:
    return best_above_second(scores(answers))


def confidence(answers: pa.Table) -> Floats:
    return np.asarray(answers["confidence"].combine_chunks(), dtype=np.float64)


def counts(answers: pa.Table, records: pa.Table, labels: list[str]) -> Counts:
    """Per record: `n`, `correct`, `reciprocal rank` (1 divided by the right option's rank); by place `support:option 1`
    (the first is right), `answered:` and `hit:`; by number of options `of 3` and `right of 3`."""
    size, places = len(records), _sizes(records["options"].combine_chunks())
    truth, chosen = (
        np.asarray(table.combine_chunks(), dtype=np.int64) for table in (records["answer"], answers["choice"])
    )
    hit, rows = np.flatnonzero(truth == chosen), np.arange(size)
    most = int(places.max(initial=0))
    names = [f"option {place + 1}" for place in range(most)]
    keys = (
        "n", "correct", "reciprocal rank",
        *(f"{kind}:{name}" for kind in ("support", "answered", "hit") for name in names),
        *(f"{kind} {number}" for kind in ("of", "right of") for number in range(most + 1)),
    )  # fmt: skip
    by_size = 3 + 3 * most
    entries = [
        (rows, np.zeros(size), np.ones(size)),
        (hit, np.ones(len(hit)), np.ones(len(hit))),
        (rows, np.full(size, 2), 1 / _ranks(scores(answers), truth)),
        (rows, 3 + truth, np.ones(size)),
        (rows, 3 + most + chosen, np.ones(size)),
        (hit, 3 + 2 * most + truth[hit], np.ones(len(hit))),
        (rows, by_size + places, np.ones(size)),
        (hit, by_size + most + 1 + places[hit], np.ones(len(hit))),
    ]
    record, key, number = (np.concatenate(column) for column in zip(*entries, strict=True))
    return Counts(size, keys, record.astype(np.int64), key.astype(np.int32), number.astype(np.float64))


def _ranks(found: Floats, truth: NDArray[np.int64]) -> Floats:
    """Of the right option among its record's, from 1; of equal scores the first stands first, as in `decode`."""
    own = found[np.arange(len(truth)), truth][:, None]
    earlier = np.arange(found.shape[1]) < truth[:, None]
    return np.asarray(1.0 + (found > own).sum(axis=1) + ((found == own) & earlier).sum(axis=1))


def baselines(train: pa.Table, test: pa.Table, labels: list[str], seed: int) -> dict[str, tuple[str, pa.Table]]:
    """The place that is right most often, and logistic regression over pairs of a row's options."""
    truth = np.asarray(train["answer"].combine_chunks(), dtype=np.int64)
    sizes = _sizes(test["options"].combine_chunks())
    often = np.bincount(truth, minlength=int(sizes.max(initial=1))) + 0.5
    everywhere = _shares(np.tile(often[: int(sizes.max(initial=1))], (len(test), 1)), sizes)
    answers = {POSITION: ("always the place that is right most often", _answers(everywhere, test))}
    model, known, asked = _ranker(seed), *option_bags(train, test)
    model.fit(*differences(known, _sizes(train["options"].combine_chunks()), truth))
    found = np.zeros((len(test), int(sizes.max(initial=1))))
    there = np.arange(found.shape[1]) < sizes[:, None]
    found[there] = asked @ model.coef_[0]
    answers[TFIDF] = (
        "logistic regression over pairs of options: their words, their length, words shared with the question",
        _answers(softmax(np.where(there, found, NOTHING)), test),
    )
    return answers


def _ranker(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, max_iter=1000, fit_intercept=False, random_state=seed)


def _shares(weights: Floats, sizes: NDArray[np.int64]) -> Floats:
    """Rows that add up to 1 over the options that are there."""
    there = np.where(np.arange(weights.shape[1]) < sizes[:, None], weights, 0.0)
    return np.asarray(there / there.sum(axis=1, keepdims=True))


def cells(record: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str]:
    options: Sequence[str] = record["options"]
    asked = [str(record[name]) for name in ("context", "question") if record.get(name)]
    shown = {
        **({"question": " / ".join(asked)} if asked else {}),
        "options": " | ".join(options),
        "answer": str(answer["option"]),
        "confidence": f"{float(answer['confidence']):.2f}",
    }
    right = record.get("answer")
    return shown if right is None else {**shown, "label": options[right]}
