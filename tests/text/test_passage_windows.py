"""An answer stands whole in a window, the targets point at it, and the best span over all windows finds it again."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.text.vocabularies.test_vocabularies import made
from tests.tiny import tiny_tokenizer
from tunegate.task import IGNORED, TextTokenizer
from tunegate.text.best_spans import best_spans
from tunegate.text.passage_windows import NO_ANSWER, NOWHERE, part_starts, passage_windows, span_targets
from tunegate.text.tokens import load_tokenizer
from tunegate.windows import Arrays, Windows

WORDS = ["rain", "sun", "unbelievably", "x", "好", "New", "york"]
LONGEST = 6


@pytest.fixture(scope="module", params=["wordpiece", "unigram"])
def either(request: pytest.FixtureRequest, tokenizer: TextTokenizer) -> TextTokenizer:
    """BERT's, and one like ALBERT's, whose pieces carry the mark of a word's beginning."""
    return made("unigram", [" ".join(WORDS * 3), "who"]) if request.param == "unigram" else tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    return load_tokenizer(
        tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), ["rain sun x new york 好 who un believ ably"])
    )


def windows_of(tokenizer: TextTokenizer, rows: list[tuple[str, str]], size: int, longest: int = LONGEST) -> Windows:
    questions, passages = (pa.chunked_array([pa.array(list(texts))]) for texts in zip(*rows, strict=True))
    return passage_windows(questions, passages, tokenizer, size, longest)


def sure_outputs(windows: Windows, start: np.ndarray, end: np.ndarray) -> Arrays:
    width = int(windows.lengths.max())
    return {
        name: np.where(np.arange(width) == wanted[:, None], 9.0, 0.0)
        for name, wanted in (("start_logits", start), ("end_logits", end))
    }


@given(length=st.integers(0, 300), room=st.integers(1, 40), longest=st.integers(1, 30), answer=st.integers(1, 30))
def test_parts_cover_a_passage_and_a_short_answer_is_whole_in_one(
    length: int, room: int, longest: int, answer: int
) -> None:
    starts = part_starts(length, room, longest)
    assert starts[0] == 0 and all(one < other for one, other in pairwise(starts))
    covered = set().union(*(range(start, min(start + room, length)) for start in starts))
    assert covered == set(range(length))
    if answer <= min(longest, room // 2):
        for first in range(length - answer + 1):
            assert any(start <= first and first + answer <= start + room for start in starts)


@settings(deadline=None, max_examples=60)
@given(
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=80),
    span=st.tuples(st.integers(0, 79), st.integers(1, 3)),
    size=st.integers(16, 40),
)
def test_what_is_learnt_is_found_again_character_by_character(
    either: TextTokenizer, words: list[str], span: tuple[int, int], size: int
) -> None:
    first = span[0] % len(words)
    passage, answer = " ".join(words), " ".join(words[first : first + span[1]])
    start = len(" ".join([*words[:first], ""]))
    windows = windows_of(either, [("who", passage)], size)
    assert windows.lengths.max() <= size
    targets = span_targets(windows, [(start, start + len(answer))])
    if (targets[0] == IGNORED).all():
        assert "unbelievably" in answer  # more tokens than may be asked for
        return
    (found,) = best_spans(sure_outputs(windows, *targets), windows, 1, longest=size, most=4)
    assert passage[slice(*found.spans[0][0])] == answer


def test_every_window_begins_with_the_question_and_knows_the_passages_characters(tokenizer: TextTokenizer) -> None:
    passage = "rain sun x " * 30
    windows = windows_of(tokenizer, [("who who", passage), ("who", "rain")], 24)
    assert windows.record.tolist() == [0] * (len(windows) - 1) + [1]
    who = tokenizer.tokenizer.token_to_id("who")
    for number in range(len(windows)):
        own = slice(windows.offsets[number], windows.offsets[number + 1])
        ids, starts = windows.tokens["input_ids"][own], windows.positions["start"][own]
        assert ids[1] == who and starts[1] == NOWHERE
        assert set(windows.tokens["token_type_ids"][own][starts != NOWHERE].tolist()) == {1}
    places = {(s, e) for s, e in zip(windows.positions["start"], windows.positions["end"], strict=True) if s != NOWHERE}
    assert {passage[start:end] for start, end in places} == {"rain", "sun", "x"}


def test_of_a_long_question_half_a_window_is_kept_and_the_rest_is_counted(tokenizer: TextTokenizer) -> None:
    windows = windows_of(tokenizer, [("who " * 30, "rain")], 23)
    assert windows.dropped.tolist() == [20]  # 23 less three special tokens, and half of that
    assert (windows.positions["start"] != NOWHERE).sum() == 1


def test_questions_without_an_answer_point_at_the_first_token_and_unplaced_ones_at_nothing(
    tokenizer: TextTokenizer,
) -> None:
    rows = [("who", "rain sun")] * 3
    start, end = span_targets(windows_of(tokenizer, rows, 16), [(0, 0), None, (5, 8)])
    assert start.tolist() == [NO_ANSWER, IGNORED, 4]
    assert end.tolist() == [NO_ANSWER, IGNORED, 4]


def test_a_window_with_part_of_an_answer_does_not_hold_it(tokenizer: TextTokenizer) -> None:
    passage = " ".join(["rain"] * 20 + ["sun"] * 4 + ["rain"] * 20)
    windows = windows_of(tokenizer, [("who", passage)], 16, longest=4)
    place = passage.index("sun")
    start, end = span_targets(windows, [(place, place + 15)])
    whole = [
        windows.positions["start"][windows.offsets[number] : windows.offsets[number + 1]].tolist().count(place) > 0
        and place + 15 in windows.positions["end"][windows.offsets[number] : windows.offsets[number + 1]]
        for number in range(len(windows))
    ]
    assert (start > 0).tolist() == whole == (end > 0).tolist()
    assert sum(whole) and not all(whole)


def test_a_span_never_leaves_its_window_nor_its_length(tokenizer: TextTokenizer) -> None:
    windows = windows_of(tokenizer, [("who", "rain sun x rain sun x")], 32)
    scores = np.random.default_rng(0).normal(size=(2, 1, 16))
    outputs = {"start_logits": scores[0], "end_logits": scores[1]}
    (found,) = best_spans(outputs, windows, 1, longest=2, most=100)
    own = windows.positions["start"] != NOWHERE
    first, last = (array[0, : len(own)][own] for array in (scores[0], scores[1]))
    wanted = {
        (int(windows.positions["start"][own][i]), int(windows.positions["end"][own][j])): first[i] + last[j]
        for i in range(6)
        for j in range(i, min(i + 2, 6))
    }
    assert dict(found.spans) == pytest.approx(wanted)
    assert [score for _, score in found.spans] == sorted(wanted.values(), reverse=True)
    assert found.none == scores[0, 0, 0] + scores[1, 0, 0]


def test_a_passage_of_which_no_token_is_left_has_no_span(tokenizer: TextTokenizer) -> None:
    windows = windows_of(tokenizer, [("who", "\u200b")], 16)
    outputs = {name: np.zeros((1, 16)) for name in ("start_logits", "end_logits")}
    (found,) = best_spans(outputs, windows, 1, longest=5, most=5)
    assert len(windows) == 1 and found.spans == []
