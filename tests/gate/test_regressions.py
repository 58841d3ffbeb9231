"""Models made from one that is there: as much better or worse as they are said to be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gate.evidence import TASK, answers, labels, right
from tests.gate.versions import rows as make_rows
from tunegate.evaluation.right import right_of
from tunegate.gate.regressions import Original, halved, swapped, with_swapped
from tunegate.tasks import answering_of

TRUTH = labels(2000)
KNOWN = sorted(set(TRUTH))
ROWS = np.arange(len(TRUTH))


def make(share: float = 0.9) -> Original:
    given_ = right(TRUTH, share)
    return Original(answering_of(TASK), make_rows(TRUTH), answers(given_, KNOWN), KNOWN, ("label",))


ORIGINAL = make()


@pytest.mark.parametrize("change", [0.0, 0.01, -0.01, -0.05])
def test_a_retrained_model_is_as_much_better_or_worse_as_asked(change: float) -> None:
    random = np.random.default_rng(1)
    made = [right_of(ORIGINAL.counts(ORIGINAL.retrained(ROWS, change, 0.06, random), ROWS)) for _ in range(100)]
    assert np.mean(made) - ORIGINAL.right.mean() == pytest.approx(change, abs=0.002)
    assert np.mean([one != ORIGINAL.right for one in made]) == pytest.approx(0.06, abs=0.003)


def test_a_row_that_was_drawn_twice_may_change_once() -> None:
    rows = np.zeros(500, dtype=np.int64)
    random = np.random.default_rng(0)
    changed = right_of(ORIGINAL.counts(ORIGINAL.retrained(rows, 0.0, 0.2, random), rows)) != ORIGINAL.right[rows]
    assert 0 < changed.mean() < 1


@given(share=st.floats(0, 1), seed=st.integers(0, 99))
def test_noise_is_wrong_as_often_as_it_is_there(share: float, seed: int) -> None:
    noisy = ORIGINAL.noisy(ROWS, share, np.random.default_rng(seed))
    changed = np.array(noisy["label"].to_pylist()) != np.array(ORIGINAL.answers["label"].to_pylist())
    assert changed.mean() == pytest.approx(share, abs=0.06)


def test_a_lost_class_is_never_answered_and_nothing_else_changes() -> None:
    lost = np.array(ORIGINAL.without(ROWS, "label 1", np.random.default_rng(0))["label"].to_pylist())
    before = np.array(ORIGINAL.answers["label"].to_pylist())
    assert "label 1" not in lost
    assert (lost == before)[before != "label 1"].all()


def test_a_model_that_is_always_right_can_only_lose() -> None:
    perfect = make(1.0)
    made = perfect.retrained(ROWS, 0.02, 0.06, np.random.default_rng(0))
    assert right_of(perfect.counts(made)).mean() == pytest.approx(0.98, abs=0.01)


def test_a_model_of_one_answer_has_no_other_to_give() -> None:
    alone = Original(answering_of(TASK), make_rows(TRUTH), answers(["label 0"] * 2000, KNOWN), KNOWN, ("label",))
    made = alone.noisy(ROWS, 0.5, np.random.default_rng(0))
    assert set(made["label"].to_pylist()) == {"label 0"}


def test_texts_are_halved_by_words_or_characters() -> None:
    assert halved("one two three four five") == "one two three"
    assert halved("我的包裹在哪里") == "我的包裹"
    assert halved("one") == "one"


def test_a_swapped_word_is_another_everywhere_and_no_two_become_one() -> None:
    texts = ["the lamp is late", "The mug is broken", "my lamp"]
    words = swapped(texts, 1.0, 0)
    assert sorted(words) == sorted(words.values()) and all(word != other for word, other in words.items())
    assert with_swapped("the the", words) == " ".join([words["the"]] * 2)
    assert with_swapped("THE unknown", words) == f"{words['the']} unknown"
    assert len(swapped(texts, 0.3, 0)) == 2
    assert swapped(["one"], 1.0, 0) == {}
