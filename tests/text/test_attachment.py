"""Attachment against the CoNLL 2018 definition, written down again from its words alone."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.text.attachment import Tree, attached, has_cycle, heads_outside, roots, universal

RELATIONS = st.sampled_from(["nsubj", "nsubj:pass", "punct", "obl", "obl:tmod", "root"])
Words = list[tuple[int, str]]


@st.composite
def trees(draw: st.DrawFn) -> tuple[Words, Words]:
    """Two over the same words; each word's head comes earlier in a random order, so that they are trees."""
    size = draw(st.integers(1, 9))

    def tree() -> Words:
        order = draw(st.permutations(range(1, size + 1)))
        heads = {word: draw(st.sampled_from(order[:place])) if place else 0 for place, word in enumerate(order)}
        return [(heads[word], draw(RELATIONS)) for word in range(1, size + 1)]

    return tree(), tree()


def scores_by_definition(gold: Words, system: Words) -> tuple[float, float]:
    """UAS and LAS as F1: 2 c / (s + g), where words are aligned one to one, over the words' sets of (word, head[,
    relation up to its colon])."""

    def links(words: Words, labelled: bool) -> set[tuple[int | str, ...]]:
        return {
            (place, head, relation.split(":")[0]) if labelled else (place, head)
            for place, (head, relation) in enumerate(words, start=1)
        }

    def f1(labelled: bool) -> float:
        one, other = links(gold, labelled), links(system, labelled)
        return 2 * len(one & other) / (len(one) + len(other))

    return f1(False), f1(True)


def tree_of(words: Sequence[tuple[int, str]]) -> Tree:
    return Tree([head for head, _ in words], [relation for _, relation in words])


@given(trees())
def test_uas_and_las_are_those_of_the_definition(both: tuple[Words, Words]) -> None:
    gold, system = both
    found = attached(tree_of(gold), tree_of(system))
    assert (found.heads / found.words, found.relations / found.words) == pytest.approx(
        scores_by_definition(gold, system)
    )
    assert attached(tree_of(gold), tree_of(gold)).relations == len(gold)


@given(trees())
def test_a_tree_has_no_fault(both: tuple[Words, Words]) -> None:
    heads = tree_of(both[0]).heads
    assert not heads_outside(heads) and not has_cycle(heads) and roots(heads) == 1


def test_subtypes_do_not_count_and_punctuation_does() -> None:
    gold, other = Tree([2, 0, 2], ["nsubj", "root", "punct"]), Tree([2, 0, 1], ["nsubj:pass", "root", "punct"])
    assert (attached(gold, other).words, attached(gold, other).relations) == (3, 2)
    assert universal("obl:tmod") == "obl"


@pytest.mark.parametrize(
    ("heads", "outside", "cycle", "number"),
    [
        ([0], False, False, 1),
        ([2, 0, 4], True, False, 1),
        ([-1, 0], True, False, 1),
        ([2, 1, 0], False, True, 1),
        ([1, 0], False, True, 1),
        ([0, 0], False, False, 2),
        ([2, 1], False, True, 0),
        ([], False, False, 0),
    ],
)
def test_faults_are_told_apart(heads: list[int], outside: bool, cycle: bool, number: int) -> None:
    assert (heads_outside(heads), has_cycle(heads), roots(heads)) == (outside, cycle, number)
