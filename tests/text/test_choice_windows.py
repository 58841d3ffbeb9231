"""Every option has one window (pairwise) or one place among its record's (joint), whatever has to be cut."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny import tiny_tokenizer
from tunegate.task import TextTokenizer
from tunegate.text.choice_windows import joint_windows, options_at, pairwise_windows
from tunegate.text.tokens import load_tokenizer

WORDS = ["rain", "sun", "unbelievably", "x", "好", "\u200b"]
TEXT = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
MAYBE = st.none() | TEXT
ROWS = st.lists(
    st.fixed_dictionaries({"question": MAYBE, "context": MAYBE, "options": st.lists(TEXT, min_size=2, max_size=14)}),
    min_size=1,
    max_size=4,
)
SCHEMA = pa.schema([("question", pa.string()), ("context", pa.string()), ("options", pa.list_(pa.string()))])


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    return load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), ["rain sun x 好 cat dog where what"]))


def table(*rows: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


def words(tokenizer: TextTokenizer, ids: np.ndarray) -> str:  # type: ignore[type-arg]
    return " ".join(tokenizer.tokenizer.id_to_token(int(token)) for token in ids)


@settings(deadline=None, max_examples=40)
@given(rows=ROWS, size=st.integers(8, 32))
def test_each_option_has_one_place_and_no_window_is_too_long(
    tokenizer: TextTokenizer, rows: list[dict[str, object]], size: int
) -> None:
    wanted = [(row, option) for row, own in enumerate(rows) for option in range(len(own["options"]))]  # type: ignore[arg-type]
    joint, pairwise = joint_windows(table(*rows), tokenizer, size), pairwise_windows(table(*rows), tokenizer, size)
    assert max(joint.lengths.max(), pairwise.lengths.max()) <= size
    window, place, number = options_at(joint)
    assert list(zip(joint.record[window].tolist(), number.tolist(), strict=True)) == wanted
    assert (place > 0).all()  # never the first token, which is nobody's
    assert list(zip(pairwise.record.tolist(), pairwise.number.tolist(), strict=True)) == wanted
    assert (joint.dropped >= 0).all()


def test_side_by_side_options_stand_after_the_question_with_separators_between_them(tokenizer: TextTokenizer) -> None:
    windows = joint_windows(table({"question": "where", "options": ["cat", "dog x", "sun"]}), tokenizer, 32)
    assert words(tokenizer, windows.tokens["input_ids"]) == "[CLS] where [SEP] cat [SEP] dog x [SEP] sun [SEP]"
    assert windows.positions["option"].tolist() == [-1, -1, -1, 0, -1, 1, -1, -1, 2, -1]
    assert windows.tokens["token_type_ids"].tolist() == [0, 0, 0, *[1] * 7]


def test_options_without_a_question_stand_alone(tokenizer: TextTokenizer) -> None:
    rows = table({"options": ["cat", "dog"]})
    joint = joint_windows(rows, tokenizer, 32)
    assert words(tokenizer, joint.tokens["input_ids"]) == "[CLS] cat [SEP] dog [SEP]"
    pairwise = pairwise_windows(rows, tokenizer, 32)
    assert words(tokenizer, pairwise.tokens["input_ids"]) == "[CLS] cat [SEP] [CLS] dog [SEP]"


def test_of_an_option_without_tokens_the_separator_behind_it_is_its_place(tokenizer: TextTokenizer) -> None:
    windows = joint_windows(table({"question": "where", "options": ["\u200b", "dog", "\u200b"]}), tokenizer, 32)
    assert words(tokenizer, windows.tokens["input_ids"]) == "[CLS] where [SEP] [SEP] dog [SEP] [SEP]"
    assert windows.positions["option"].tolist() == [-1, -1, -1, 0, 1, -1, 2]


def test_a_context_is_cut_before_anything_else_and_the_cut_is_counted(tokenizer: TextTokenizer) -> None:
    row = {"question": "where", "context": " ".join(["x"] * 20), "options": ["cat", "dog"]}
    joint = joint_windows(table(row), tokenizer, 12)
    assert words(tokenizer, joint.tokens["input_ids"]) == f"[CLS] {'x ' * 5}where [SEP] cat [SEP] dog [SEP]"
    assert joint.dropped.tolist() == [15]
    pairwise = pairwise_windows(table(row), tokenizer, 12)
    first = pairwise.tokens["input_ids"][: pairwise.offsets[1]]
    assert words(tokenizer, first) == f"[CLS] {'x ' * 7}[SEP] where cat [SEP]"
    assert pairwise.dropped.tolist() == [13, 13]


def test_more_options_than_a_window_holds_go_on_in_another(tokenizer: TextTokenizer) -> None:
    windows = joint_windows(table({"question": "where", "options": ["cat"] * 9}), tokenizer, 12)
    assert windows.number.tolist() == [0, 1, 2]
    assert options_at(windows)[2].tolist() == list(range(9))
    assert options_at(windows)[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2]


@pytest.mark.parametrize("make", [joint_windows, pairwise_windows])
def test_no_records_make_no_windows(tokenizer: TextTokenizer, make: object) -> None:
    assert len(make(table(), tokenizer, 16)) == 0  # type: ignore[operator]
