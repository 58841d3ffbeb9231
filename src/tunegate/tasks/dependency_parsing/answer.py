"""Reading trees, and what they are worth: labelled and unlabelled attachment as CoNLL 2018 defines them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.statistics.calibration import fit_power, fit_temperature
from tunegate.statistics.ratios import share
from tunegate.task import Counts, Fitted, Metric, Reading, Sums
from tunegate.text.arc_scores import FoundTree, arc_scores, asked_logits, read_tree
from tunegate.text.attachment import Tree, attached, universal
from tunegate.text.tree_baselines import likely_trees, neighbour_trees, usual_trees
from tunegate.text.word_questions import places_of, sizes_of
from tunegate.windows import Arrays, Windows

Floats = NDArray[np.float64]

FIT_WORDS = 20_000  # words that the temperature is fitted on: one number is known to a percent from these
LEAST = 1e-12  # the probability of a word that nobody was asked about


def _las(sums: Sums) -> Floats:
    return share(sums, "attached", "words")


def _uas(sums: Sums) -> Floats:
    return share(sums, "heads right", "words")


METRICS = (
    Metric("las", "LAS", True, "record", _las),
    Metric("uas", "UAS", True, "record", _uas),
)

BASELINES = MAJORITY, NEIGHBOUR, LOOKUP = "majority", "neighbour", "lookup"


def fit(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> Fitted:
    """`temperature` of the heads, and the `power` of a whole tree's probability: its words do not err independently."""
    heads = [np.array(each or [], dtype=np.int64) for each in records["heads"].to_pylist()]
    fitted: Fitted = {"temperature": fit_temperature(*asked_logits(outputs, windows, heads, FIT_WORDS))}
    answers = decode(outputs, windows, records, Reading(reading.labels, fitted, reading.options))
    right = [
        _attached(record, answer).relations == len(record["tokens"]) for record, answer in _pairs(records, answers)
    ]
    return {**fitted, "power": fit_power(np.log(np.maximum(confidence(answers), 1e-300)), np.array(right, dtype=bool))}


def decode(outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> pa.Table:
    temperature, power = reading.fitted.get("temperature", 1.0), reading.fitted.get("power", 1.0)
    if not isinstance(temperature, float) or not isinstance(power, float):
        raise TypeError("the fitted temperature and power are one number each")
    scores = arc_scores(outputs, windows, sizes_of(records["tokens"]), temperature)
    return _answers([read_tree(each) for each in scores], records, reading.labels, power)


def _answers(trees: list[FoundTree], records: pa.Table, labels: list[str], power: float = 1.0) -> pa.Table:
    offsets = np.concatenate([[0], np.cumsum(sizes_of(records["tokens"]))]).astype(np.int32)

    def lists(values: Iterable[NDArray[Any]], kind: pa.DataType, per_word: int = 1) -> pa.Array:
        flat = np.concatenate([np.zeros(0), *(each.ravel() for each in values)])
        return pa.ListArray.from_arrays(pa.array(offsets * per_word, pa.int32()), pa.array(flat).cast(kind))

    numbers = np.concatenate([np.zeros(0, dtype=np.int64), *(tree.relations for tree in trees)])
    sure = [tree.head_probability * tree.relation_probability for tree in trees]
    return pa.table(
        {
            "tokens": records["tokens"].combine_chunks(),
            "starts": places_of(records),
            "heads": lists((tree.heads for tree in trees), pa.int32()),
            "relations": pa.ListArray.from_arrays(pa.array(offsets), pa.array(labels).take(pa.array(numbers))),
            "head_sureness": lists((tree.head_probability for tree in trees), pa.float64()),
            "relation_sureness": lists((tree.relation_probability for tree in trees), pa.float64()),
            "gaps": lists((tree.gap for tree in trees), pa.float64()),
            "levels": lists((tree.levels for tree in trees), pa.float64(), per_word=3),
            "confidence": np.array([np.exp(power * np.log(np.maximum(own, LEAST)).sum()) for own in sure], np.float64),
        }
    )


def responses(answers: pa.Table, labels: list[str], with_scores: bool) -> list[dict[str, Any]]:
    return [
        {"words": [*_words(row, with_scores)], "confidence": min(1.0, row["confidence"])} for row in answers.to_pylist()
    ]


def _words(row: Mapping[str, Any], with_scores: bool) -> Iterable[dict[str, Any]]:
    columns = ("tokens", "starts", "heads", "relations", "head_sureness", "relation_sureness")
    for token, start, head, relation, head_sure, relation_sure in zip(*(row[name] for name in columns), strict=True):
        word = {
            "text": token,
            "start": start,
            "end": start + len(token),
            "head": head,
            "relation": relation,
            "confidence": min(1.0, head_sure * relation_sure),
        }
        scores = {"head": min(1.0, head_sure), "relation": min(1.0, relation_sure)}
        yield {**word, "scores": scores} if with_scores else word


def decided(answers: pa.Table) -> list[str]:
    """`2:nsubj 0:root`: each word's head and relation."""
    return [
        " ".join(f"{head}:{relation}" for head, relation in zip(row["heads"], row["relations"], strict=True))
        for row in answers.select(["heads", "relations"]).to_pylist()
    ]


def scores(answers: pa.Table) -> Floats:
    """Of every word of every record, one after the other, what changes little where a tie turns over: [words, 3]."""
    return np.asarray(answers["levels"].combine_chunks().flatten(), dtype=np.float64).reshape(-1, 3)


def margins(answers: pa.Table) -> Floats:
    """Of the word that was decided most narrowly."""
    return np.array([min(gaps, default=np.inf) for gaps in answers["gaps"].to_pylist()], dtype=np.float64)


def confidence(answers: pa.Table) -> Floats:
    return np.minimum(1.0, np.asarray(answers["confidence"].combine_chunks(), dtype=np.float64))


def counts(answers: pa.Table, records: pa.Table, labels: list[str]) -> Counts:
    """Per record: `n`, `correct` (the whole tree is right), `words`, `heads right`, `attached` (head and universal
    relation right), and by universal relation `support:`, `answered:` and `hit:`."""
    types = list(dict.fromkeys(map(universal, labels)))
    keys = (
        "n", "correct", "words", "heads right", "attached",
        *(f"{kind}:{name}" for kind in ("support", "answered", "hit") for name in types),
    )  # fmt: skip
    number = {key: place for place, key in enumerate(keys)}
    entries = [
        (row, number[key], float(value))
        for row, (record, answer) in enumerate(_pairs(records, answers))
        for key, value in _counted(record, answer).items()
        if key in number
    ]
    rows, places, values = zip(*entries, strict=True) if entries else ((), (), ())
    return Counts(
        len(records),
        keys,
        np.array(rows, dtype=np.int64),
        np.array(places, dtype=np.int32),
        np.array(values, dtype=np.float64),
    )


def _pairs(records: pa.Table, answers: pa.Table) -> Iterable[tuple[dict[str, Any], dict[str, Any]]]:
    names = ["tokens", "heads", "relations"]
    return zip(records.select(names).to_pylist(), answers.select(names).to_pylist(), strict=True)


def _attached(record: Mapping[str, Any], answer: Mapping[str, Any]) -> Any:
    gold, found = (Tree(each["heads"], each["relations"]) for each in (record, answer))
    return attached(gold, found)


def _counted(record: Mapping[str, Any], answer: Mapping[str, Any]) -> Counter[str]:
    found = _attached(record, answer)
    sums = Counter(
        {
            "n": 1,
            "correct": int(found.relations == found.words),
            "words": found.words,
            "heads right": found.heads,
            "attached": found.relations,
        }
    )
    columns = (record["heads"], record["relations"], answer["heads"], answer["relations"])
    for gold_head, gold, head, relation in zip(*columns, strict=True):
        sums[f"support:{universal(gold)}"] += 1
        sums[f"answered:{universal(relation)}"] += 1
        sums[f"hit:{universal(gold)}"] += int(gold_head == head and universal(gold) == universal(relation))
    return +sums


def baselines(train: pa.Table, test: pa.Table, labels: list[str], seed: int) -> dict[str, tuple[str, pa.Table]]:
    """What needs no look at the sentence, then the left neighbour, then what words do most often, made a tree."""
    found = {
        MAJORITY: ("the most frequent distance to the head and the most frequent relation", usual_trees),
        NEIGHBOUR: ("the word to the left, in the relation that the word has most often in training", neighbour_trees),
        LOOKUP: ("the best tree by the distances and relations that words have in training", likely_trees),
    }
    return {
        name: (said, _answers(made(train, test["tokens"].to_pylist(), labels), test, labels))
        for name, (said, made) in found.items()
    }


def cells(record: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str]:
    shown = {
        "text": " ".join(record["tokens"]),
        "answer": _told(record["tokens"], answer),
        "confidence": f"{float(answer['confidence']):.2f}",
    }
    return {**shown, "label": _told(record["tokens"], record)} if record.get("heads") else shown


def _told(words: list[str], tree: Mapping[str, Any]) -> str:
    """`Anna: nsubj of sleeps; sleeps: root`."""
    arcs = zip(words, tree["heads"], tree["relations"], strict=True)
    return "; ".join(
        f"{word}: {relation} of {words[head - 1]}" if 0 < head <= len(words) else f"{word}: {relation}"
        for word, head, relation in arcs
    )
