"""Labels whose names seem to have changed places: what is called one is surely, and in a circle, answered as another.

A model that was named wrongly looks like a bad one. A bad one does not look like this: it mistakes labels for one
another, but not most rows of each for just one other, around and back again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow as pa

from tunegate.records import Payload, answer_columns
from tunegate.statistics.proportions import lower_bound


def swapped(truth: Sequence[str], answered: Sequence[str]) -> dict[str, str]:
    """Label to what its rows are answered with, for labels in such circles; empty where there are none."""
    rows = Counter(truth)
    said = {
        label: other
        for (label, other), count in Counter(zip(truth, answered, strict=True)).items()
        if lower_bound(count, rows[label]) > 0.5  # more than half of its rows, surely: there is one such at most
    }
    return {label: said[label] for label in said if said[label] != label and _comes_back(label, said)}


def pairs(records: pa.Table, answers: pa.Table, payload: Sequence[Payload]) -> tuple[list[str], list[str]]:
    """What is right and what was answered, name by name: of one label a row, of tags of its words, and of sets of
    labels where each has one. Empty where answers are no names."""
    right: list[str] = []
    given: list[str] = []
    for name in answer_columns(payload):
        if name not in answers.column_names or not _names(records[name].type):
            continue
        for true, answer in zip(records[name].to_pylist(), answers[name].to_pylist(), strict=True):
            ours, theirs = ([value] if isinstance(value, str) else value or [] for value in (true, answer))
            if len(ours) == len(theirs) and (len(ours) == 1 or not _is_set(payload, name)):
                right += ours
                given += theirs
    return right, given


def _comes_back(label: str, said: Mapping[str, str]) -> bool:
    place: str | None = said[label]
    for _ in said:
        if place == label or place is None:
            break
        place = said.get(place)
    return place == label


def _names(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind.value_type if pa.types.is_list(kind) else kind))


def _is_set(payload: Sequence[Payload], name: str) -> bool:
    return any(column.name == name and column.kind == "labels" for column in payload)
