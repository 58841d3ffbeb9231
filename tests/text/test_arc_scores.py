"""Trees read off windows: every word once, the right ones where the scores say so, however the sentence is cut."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny import tiny_tokenizer
from tunegate.task import TextTokenizer
from tunegate.text.arc_scores import FoundTree, arc_scores, asked_logits, read_tree
from tunegate.text.spanning import is_tree
from tunegate.text.tokens import load_tokenizer
from tunegate.text.word_windows import word_windows
from tunegate.windows import Arrays, Windows

WORDS = ["rain", "rainy", "sun", "unbelievably", "\u200b"]  # of the last the tokenizer keeps nothing


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    return load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), ["rain sun x un believ ably"]))


def windows_of(lists: Sequence[list[str]], tokenizer: TextTokenizer, size: int) -> Windows:
    return word_windows(pa.chunked_array([pa.array(lists, pa.list_(pa.string()))]), tokenizer, size)


def some_outputs(windows: Windows, seed: int) -> Arrays:
    random = np.random.default_rng(seed)
    outputs: Arrays = {name: np.empty(len(windows), object) for name in ("arcs", "relations", "relation_scores")}
    for number, length in enumerate(windows.lengths):
        outputs["arcs"][number] = random.normal(size=(length, length)).astype(np.float32) * 4
        outputs["relations"][number] = random.integers(0, 5, (length, length)).astype(np.float32)
        outputs["relation_scores"][number] = np.log(random.uniform(0.1, 1, (length, length))).astype(np.float32)
    return outputs


def trees_of(
    lists: Sequence[list[str]], windows: Windows, outputs: Arrays, temperature: float = 1.0
) -> list[FoundTree]:
    sizes = np.array([len(each) for each in lists])
    return [read_tree(scores) for scores in arc_scores(outputs, windows, sizes, temperature)]


@settings(deadline=None, max_examples=60)
@given(
    lists=st.lists(st.lists(st.sampled_from(WORDS), max_size=40), min_size=1, max_size=3),
    size=st.integers(4, 24),
    seed=st.integers(0, 99),
)
def test_every_word_has_one_head_and_they_make_a_tree(
    tokenizer: TextTokenizer, lists: list[list[str]], size: int, seed: int
) -> None:
    windows = windows_of(lists, tokenizer, size)
    trees = trees_of(lists, windows, some_outputs(windows, seed))
    for words, tree in zip(lists, trees, strict=True):
        assert len(tree.heads) == len(tree.relations) == len(tree.gap) == len(words)
        assert is_tree(tree.heads) or not words
        assert tree.levels.shape == (len(words), 3)
        for shares in (tree.head_probability, tree.relation_probability, tree.levels):
            assert ((shares >= 0) & (shares <= 1 + 1e-6)).all()  # relation scores come as float32


@settings(deadline=None, max_examples=40)
@given(size=st.integers(1, 60), width=st.integers(20, 40), seed=st.integers(0, 99))
def test_a_sure_model_is_read_rightly_where_heads_are_near(
    tokenizer: TextTokenizer, size: int, width: int, seed: int
) -> None:
    """A chain: each word's head is its neighbour, which every window that asks the word holds too."""
    words = ["rain"] * size
    windows = windows_of([words], tokenizer, width)
    outputs = some_outputs(windows, seed)
    for number, (start, end) in enumerate(zip(windows.offsets, windows.offsets[1:], strict=False)):
        own = windows.positions["word"][start:end]
        for place in np.flatnonzero(own >= 0):
            head = 0 if own[place] == 0 else place - 1
            outputs["arcs"][number][place, head] = 60.0
            outputs["relations"][number][place, head] = int(own[place]) % 3
    (tree,) = trees_of([words], windows, outputs)
    assert tree.heads.tolist() == list(range(size))
    assert tree.relations.tolist() == [word % 3 for word in range(size)]
    assert (tree.head_probability > 0.99).all()


def test_probabilities_of_heads_are_a_softmax_over_the_other_words_and_the_root(tokenizer: TextTokenizer) -> None:
    words = ["rainy", "sun", "unbelievably"]
    windows = windows_of([words], tokenizer, 32)
    outputs = some_outputs(windows, 0)
    (scores,) = arc_scores(outputs, windows, np.array([3]), 2.0)
    assert np.exp(scores.head[1:]).sum(axis=1) == pytest.approx(1)
    first = [0, *(windows.positions["word"].tolist().index(word) for word in range(3))]  # places in the window
    raw = np.exp(outputs["arcs"][0][first[2], [first[0], first[1], first[3]]] / 2.0)
    assert np.exp(scores.head[2, [0, 1, 3]]) == pytest.approx(raw / raw.sum(), rel=1e-5)
    assert scores.relation[2, 3] == outputs["relations"][0][first[2], first[3]]


def test_scores_change_little_where_a_tie_turns_over(tokenizer: TextTokenizer) -> None:
    """Two engines that decide a near tie otherwise are told apart by the decision, not by the scores."""
    windows = windows_of([["rain", "sun", "rain"]], tokenizer, 32)
    outputs = some_outputs(windows, 1)
    outputs["arcs"][0][3, [1, 2]] = 7.0, 7.0 + 1e-4
    (one,) = trees_of([["rain", "sun", "rain"]], windows, outputs)
    outputs["arcs"][0][3, [1, 2]] = 7.0 + 1e-4, 7.0
    (other,) = trees_of([["rain", "sun", "rain"]], windows, outputs)
    assert one.heads.tolist() != other.heads.tolist()
    assert np.abs(one.levels[:, :2] - other.levels[:, :2]).max() < 1e-4
    assert one.gap.min() < 1e-4


@settings(deadline=None, max_examples=30)
@given(size=st.integers(1, 40), width=st.integers(6, 24), most=st.integers(1, 60), seed=st.integers(0, 99))
def test_logits_to_fit_on_stand_beside_their_true_heads(
    tokenizer: TextTokenizer, size: int, width: int, most: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    windows = windows_of([["rain"] * size], tokenizer, width)
    outputs, heads = some_outputs(windows, seed), random.integers(0, size + 1, size)
    for number, (start, end) in enumerate(zip(windows.offsets, windows.offsets[1:], strict=False)):
        own = windows.positions["word"][start:end]
        for place, word in enumerate(own.tolist()):
            for other, head in enumerate(own.tolist()):
                if word >= 0 and (other == 0 or head >= 0):  # the score is the distance to the true head
                    outputs["arcs"][number][place, other] = abs((head + 1) - heads[word])
    logits, truth = asked_logits(outputs, windows, [heads], most)
    assert 1 <= len(logits) <= most
    rows = np.flatnonzero(truth >= 0)
    own = np.isfinite(logits[rows, truth[rows]])  # a word cannot be its own head, whatever is said
    assert (logits[rows[own], truth[rows[own]]] == 0).all()
