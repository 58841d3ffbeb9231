"""The best tree is the best of all trees, by brute force and by another implementation."""

from itertools import product

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from tunegate.text.spanning import best_tree, cyclic, is_tree

Floats = NDArray[np.float64]


def reaches_the_root(heads: tuple[int, ...], word: int) -> bool:
    seen = set()
    while word and word not in seen:
        seen.add(word)
        word = heads[word - 1]
    return word == 0


def is_one_tree(heads: tuple[int, ...]) -> bool:
    """By the words of the definition."""
    return heads.count(0) == 1 and all(reaches_the_root(heads, word) for word in range(1, len(heads) + 1))


def value(scores: Floats, heads: NDArray[np.int64] | tuple[int, ...]) -> float:
    return float(sum(scores[word, head] for word, head in enumerate(heads, start=1)))


def sized(size: int, elements: st.SearchStrategy[float]) -> st.SearchStrategy[Floats]:
    return arrays(np.float64, (size + 1, size + 1), elements=elements)


EVEN = st.integers(-3, 3).map(float)  # ties
ANY = st.floats(-50, 50)


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 5).flatmap(lambda size: sized(size, st.one_of(EVEN, ANY))))
def test_no_tree_is_better(scores: Floats) -> None:
    words = len(scores) - 1
    heads = best_tree(scores)
    assert is_one_tree(tuple(heads.tolist()))
    every = [each for each in product(range(words + 1), repeat=words) if is_one_tree(each)]
    assert value(scores, heads) == pytest.approx(max(value(scores, each) for each in every), abs=1e-6)


def best_by_networkx(scores: Floats) -> float:
    """The best arborescence below each word as the only one on the root."""
    words = len(scores) - 1
    found = []
    for top in range(1, words + 1):
        graph = networkx.DiGraph()
        graph.add_nodes_from(range(1, words + 1))
        for word, head in product(range(1, words + 1), repeat=2):
            if word not in (head, top):
                graph.add_edge(head, word, weight=scores[word, head])
        tree = networkx.maximum_spanning_arborescence(graph)
        found.append(scores[top, 0] + sum(data["weight"] for _, _, data in tree.edges(data=True)))
    return float(max(found))


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 12), st.integers(0, 10_000))
def test_networkx_finds_no_better_tree(words: int, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(words + 1, words + 1)) * 5
    assert value(scores, best_tree(scores)) == pytest.approx(best_by_networkx(scores), abs=1e-6)


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 10_000), st.floats(0, 1))
def test_every_word_has_a_head_whatever_is_impossible(words: int, seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    scores = random.normal(size=(words + 1, words + 1))
    scores[random.random(scores.shape) < share] = -np.inf
    assert is_one_tree(tuple(best_tree(scores).tolist()))


def test_what_is_impossible_is_taken_only_where_it_must_be() -> None:
    scores = np.full((4, 4), -np.inf)
    scores[1, 0], scores[2, 1], scores[2, 3], scores[3, 2] = -90.0, -90.0, 50.0, 50.0
    assert best_tree(scores).tolist() == [0, 1, 2]
    scores[1, 0] = -np.inf
    assert is_tree(best_tree(scores))


def test_a_thousand_words_are_no_trouble() -> None:
    scores = np.random.default_rng(0).normal(size=(1001, 1001)).astype(np.float32)
    assert is_tree(best_tree(scores))


def test_nothing_has_no_heads() -> None:
    assert best_tree(np.zeros((1, 1))).tolist() == []


@given(st.lists(st.integers(0, 6), min_size=6, max_size=6))
def test_trees_are_told_from_what_is_none(heads: list[int]) -> None:
    assert is_tree(np.array(heads)) == is_one_tree(tuple(heads))
    assert cyclic(np.array(heads)) == (not all(reaches_the_root(tuple(heads), word) for word in range(1, 7)))
