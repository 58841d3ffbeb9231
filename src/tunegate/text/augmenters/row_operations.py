"""What is done to a row as a whole: its answer is changed along with it and stays true."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any


@dataclass(frozen=True)
class RowOperation:
    """`columns` are those that it reads and writes anew."""

    columns: tuple[str, ...]
    change: Callable[[Mapping[str, Any], Random], dict[str, Any]]


def shuffled(row: Mapping[str, Any], random: Random) -> dict[str, Any]:
    """The options in another order, and the answer where its option has gone."""
    order = list(range(len(row["options"])))
    while len(order) > 1 and order == sorted(order):
        random.shuffle(order)
    return {"options": [row["options"][place] for place in order], "answer": order.index(row["answer"])}
