"""Long texts: every token stands in a window, what is left out is counted, pairs keep both sides, scores are pooled."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny import tiny_tokenizer
from tunegate.task import TextTokenizer
from tunegate.text.long_texts import pooled, room_for, spans, text_windows
from tunegate.text.tokens import load_tokenizer
from tunegate.windows import Windows

WORDS = [f"{first}{second}" for first in "abcdefghij" for second in "klmnopqrst"]  # each one token
LENGTHS = st.integers(0, 150)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    return load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), WORDS))


def words(length: int, start: int = 0) -> str:
    """So many different-looking words that their order can be told."""
    return " ".join(WORDS[(start + number) % len(WORDS)] for number in range(length))


def encoded(
    tokenizer: TextTokenizer, rows: list[tuple[str, str | None]], size: int, how: str, pooling: str = "mean"
) -> Windows:
    table = pa.table({"text": [row[0] for row in rows], "text_b": pa.array([row[1] for row in rows], pa.string())})
    return text_windows(table, tokenizer, size, {"long_texts": how, "pooling": pooling})


def sides(windows: Windows, number: int, specials: set[int]) -> list[list[int]]:
    """The tokens of each side of a window, without special ones."""
    at = slice(windows.offsets[number], windows.offsets[number + 1])
    ids, types = windows.tokens["input_ids"][at].tolist(), windows.tokens["token_type_ids"][at].tolist()
    return [[one for one, of in zip(ids, types, strict=True) if of == side and one not in specials] for side in (0, 1)]


@given(length=st.integers(1, 2000), size=st.integers(2, 200))
def test_spans_hold_every_place_and_overlap_by_a_fourth(length: int, size: int) -> None:
    found = spans(length, size)
    assert found[0][0] == 0
    assert found[-1][1] == length
    assert all(end - start == min(size, length) for start, end in found)
    assert all(before[1] - after[0] >= size // 4 for before, after in pairwise(found))
    assert all(before[0] < after[0] for before, after in pairwise(found))


@given(first=st.integers(0, 300), second=st.integers(0, 300), body=st.integers(4, 200))
def test_the_longer_text_loses_first(first: int, second: int, body: int) -> None:
    kept = room_for((first, second), body)
    assert sum(kept) == min(body, first + second)
    longer, shorter = (0, 1) if first >= second else (1, 0)
    lengths = (first, second)
    assert kept[shorter] == lengths[shorter] or kept[shorter] >= body // 2
    assert kept[longer] >= min(lengths[longer], kept[shorter]) - (body % 2)


@settings(deadline=None, max_examples=40)
@given(lengths=st.lists(st.tuples(LENGTHS, st.none() | LENGTHS), min_size=1, max_size=4), size=st.integers(10, 40))
def test_every_token_of_every_side_stands_in_a_window_of_its_record_in_order(
    tokenizer: TextTokenizer, lengths: list[tuple[int, int | None]], size: int
) -> None:
    rows = [(words(one), None if two is None else words(two, 50)) for one, two in lengths]
    windows = encoded(tokenizer, rows, size, "windows")
    whole = encoded(tokenizer, rows, 512, "windows")
    specials = {tokenizer.tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]")}
    assert windows.lengths.max() <= size
    assert not windows.dropped.any()
    assert sorted(set(windows.record.tolist())) == list(range(len(rows)))
    for record in range(len(rows)):
        own = np.flatnonzero(windows.record == record)
        assert windows.number[own].tolist() == list(range(len(own)))
        for side, wanted in enumerate(sides(whole, record, specials)):
            assert _joined([sides(windows, number, specials)[side] for number in own], wanted)


def _joined(parts: list[list[int]], wanted: list[int]) -> bool:
    """Whether the parts lie over the whole from its start to its end, each beginning where the one before goes on."""
    reached, start = 0, 0
    for part in parts:
        places = [at for at in range(start, reached + 1) if wanted[at : at + len(part)] == part]
        if not places:
            return False
        start = places[-1] if places[-1] + len(part) > reached else places[0]
        reached = max(reached, start + len(part))
    return reached == len(wanted)


@settings(deadline=None, max_examples=40)
@given(one=LENGTHS, two=st.none() | LENGTHS, size=st.integers(10, 40))
def test_head_and_tail_are_the_texts_ends_and_the_rest_is_counted(
    tokenizer: TextTokenizer, one: int, two: int | None, size: int
) -> None:
    row = (words(one), None if two is None else words(two, 50))
    windows, whole = encoded(tokenizer, [row], size, "head_and_tail"), encoded(tokenizer, [row], 512, "head")
    specials = {tokenizer.tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]")}
    assert len(windows) == 1
    assert windows.lengths[0] + windows.dropped[0] == whole.lengths[0]
    assert windows.lengths[0] == min(size, whole.lengths[0])
    for kept, wanted in zip(sides(windows, 0, specials), sides(whole, 0, specials), strict=True):
        head = len(kept) if len(kept) == len(wanted) else len(kept) // 4
        assert kept == wanted[:head] + (wanted[len(wanted) - (len(kept) - head) :] if head < len(kept) else [])


@pytest.mark.parametrize("how", ["head", "head_and_tail", "windows"])
def test_short_texts_are_encoded_alike_whatever_is_chosen(tokenizer: TextTokenizer, how: str) -> None:
    rows = [(words(5), None), (words(3), words(4, 50)), (words(60), None), (words(2), None)]
    found, begun = encoded(tokenizer, rows, 20, how), encoded(tokenizer, rows, 20, "head")
    for record in (0, 1, 3):
        own, usual = (one.take(np.flatnonzero(one.record == record)) for one in (found, begun))
        assert all(np.array_equal(own.tokens[name], usual.tokens[name]) for name in usual.tokens)


def test_a_document_of_5000_words_is_read_whole(tokenizer: TextTokenizer) -> None:
    windows = encoded(tokenizer, [(words(5000), None)], 512, "windows")
    assert len(windows) == 13  # 5,000 tokens in windows of 510 that share at least 127
    assert not windows.dropped.any()


def test_a_short_question_stands_in_every_window_beside_a_long_text(tokenizer: TextTokenizer) -> None:
    windows = encoded(tokenizer, [(words(4), words(200, 50))], 32, "windows")
    specials = {tokenizer.tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]")}
    questions = {tuple(sides(windows, number, specials)[0]) for number in range(len(windows))}
    assert len(windows) > 5
    assert len(questions) == 1


def test_scores_of_windows_become_those_of_their_records(tokenizer: TextTokenizer) -> None:
    windows = encoded(tokenizer, [(words(40), None), (words(3), None)], 32, "windows")
    assert windows.record.tolist() == [0, 0, 1]
    logits = np.array([[1.0, 4.0], [3.0, 0.0], [5.0, 6.0]])
    assert pooled(logits, windows, 2, {"pooling": "mean"}).tolist() == [[2.0, 2.0], [5.0, 6.0]]
    assert pooled(logits, windows, 2, {"pooling": "max"}).tolist() == [[3.0, 4.0], [5.0, 6.0]]


@given(counts=st.lists(st.integers(1, 4), min_size=1, max_size=5), pooling=st.sampled_from(["mean", "max"]))
def test_pooling_a_record_alone_is_pooling_it_among_others(counts: list[int], pooling: str) -> None:
    record = np.repeat(np.arange(len(counts)), counts)
    logits = np.random.default_rng(0).normal(size=(len(record), 3))
    together = pooled(logits, _bare(record), len(counts), {"pooling": pooling})
    for number in range(len(counts)):
        own = logits[record == number]
        alone = pooled(own, _bare(np.zeros(len(own), dtype=np.int64)), 1, {"pooling": pooling})
        assert alone[0] == pytest.approx(together[number])


def _bare(record: np.ndarray) -> Windows:
    count = len(record)
    return Windows(
        {"input_ids": np.zeros(count, np.int32)},
        np.arange(count + 1),
        record.astype(np.int64),
        np.zeros(count, np.int32),
        np.zeros(count, np.int32),
    )
