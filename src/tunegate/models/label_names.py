"""The labels of a model's head by number, as its config names them: nothing else says in which order its rows stand."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunegate.errors import UserError

_NAMELESS = re.compile(r"LABEL_\d+")
_REMEDY = "Write id2label in the order of the model's outputs, each label once, and take label2id out or make it agree."


def label_names(config: Mapping[str, Any], folder: Path) -> list[str]:
    """`LABEL_0`, `LABEL_1`, ... where the config names none, as transformers does (of two labels, unless it says).

    Raises UserError where numbers have gaps, a name stands twice, or id2label and label2id do not agree.
    """
    named = config.get("id2label")
    if not isinstance(named, dict):
        return [f"LABEL_{number}" for number in range(int(config.get("num_labels") or 2))]
    numbers = {str(number): str(label) for number, label in named.items()}
    labels = [numbers[number] for number in sorted(numbers, key=_number)]
    if {_number(number) for number in numbers} != set(range(len(labels))):
        raise UserError(f"{folder}/config.json: the numbers of id2label are not 0 to {len(labels) - 1}.", _REMEDY)
    if len(set(labels)) != len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise UserError(f"{folder}/config.json: id2label names {twice!r} twice.", _REMEDY)
    _check_other_way(config.get("label2id"), labels, folder)
    return labels


def are_names(labels: Sequence[str]) -> bool:
    """Whether somebody named them: not where all are transformers' own."""
    return not all(_NAMELESS.fullmatch(label) for label in labels)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else -1


def _check_other_way(other: object, labels: Sequence[str], folder: Path) -> None:
    """A person who names the labels in id2label often leaves transformers' own in label2id: those say nothing."""
    if not isinstance(other, dict) or not are_names(list(map(str, other))):
        return
    wrong = [label for number, label in enumerate(labels) if other.get(label) != number]
    if wrong:
        number = labels.index(wrong[0])
        raise UserError(
            f"{folder}/config.json: id2label calls the output {number} {wrong[0]!r}, label2id says {wrong[0]!r} is "
            f"{other.get(wrong[0], 'none')}: nobody can tell which is right.",
            _REMEDY,
        )
