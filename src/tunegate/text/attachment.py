"""Trees of words as people write them down, and how much of one another finds: attachment as CoNLL 2018 counts it.

A tree is a head and a relation per word: heads are words' numbers from 1, and 0 is the root.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunegate.text.spanning import ROOT, cyclic


@dataclass(frozen=True)
class Tree:
    heads: Sequence[int]
    relations: Sequence[str]


@dataclass(frozen=True)
class Attached:
    """Words, those with the right head, and those with the right head and the right universal relation."""

    words: int
    heads: int
    relations: int


def universal(relation: str) -> str:
    """The relation without its subtype: `nsubj` of `nsubj:pass`, as a language may have subtypes of its own."""
    return relation.partition(":")[0]


def attached(gold: Tree, found: Tree) -> Attached:
    """Of two trees over the same words, punctuation counted as every other word (Zeman et al. 2018): UAS and
    LAS are shares of these sums."""
    same = [one == other for one, other in zip(gold.heads, found.heads, strict=True)]
    alike = [universal(one) == universal(other) for one, other in zip(gold.relations, found.relations, strict=True)]
    return Attached(len(same), sum(same), sum(both and head for both, head in zip(alike, same, strict=True)))


def heads_outside(heads: Sequence[int]) -> bool:
    """Whether a head is no word of the sentence and not the root."""
    return any(not ROOT <= head <= len(heads) for head in heads)


def roots(heads: Sequence[int]) -> int:
    """How many words hang on the root."""
    return sum(head == ROOT for head in heads)


def has_cycle(heads: Sequence[int]) -> bool:
    """Whether a word hangs, over others, on itself; of heads that lie outside nothing is said."""
    return not heads_outside(heads) and cyclic(np.array(heads, dtype=np.int64))
