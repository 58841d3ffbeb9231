"""F1 and exact match are those of the official scripts of SQuAD 2.0 and CMRC 2018, written down here once more."""

import re
import string
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tunegate.text.likeness import by_characters, f1, is_exact, longest_run, segments

ENGLISH = st.lists(
    st.sampled_from(
        ["the", "The", "a", "an", "cat", "Cat,", "cats", "sat", "U.S.", "3.14", "-", "!", "don't", "theme"]
    ),
    max_size=6,
).map(" ".join)
CHINESE = st.lists(
    st.sampled_from(
        ["战", "国", "光", "荣", "，", "。", "《", "》", "·", "……", "-", "ω-force", "Port ", "2010", "3.5"]
    ),
    max_size=8,
).map("".join)


def squad(right: list[str], said: str) -> tuple[float, float]:
    """Exact match and F1 as evaluate-v2.0.py has them, line by line."""

    def normalize(text: str) -> str:
        text = "".join(char for char in text.lower() if char not in set(string.punctuation))
        return " ".join(re.sub(r"\b(a|an|the)\b", " ", text, flags=re.UNICODE).split())

    def one(gold: str) -> float:
        wanted, given = normalize(gold).split() if gold else [], normalize(said).split() if said else []
        same = sum((Counter(wanted) & Counter(given)).values())
        if not wanted or not given:
            return float(wanted == given)
        if same == 0:
            return 0.0
        precision, recall = same / len(given), same / len(wanted)
        return 2 * precision * recall / (precision + recall)

    golds = [gold for gold in right if normalize(gold)] or [""]
    return max(float(normalize(gold) == normalize(said)) for gold in golds), max(map(one, golds))


@given(st.lists(ENGLISH, max_size=3), ENGLISH)
def test_english_counts_as_squads_script_does(right: list[str], said: str) -> None:
    exact, value = squad(right, said)
    assert is_exact(right, said or None, False) == bool(exact)
    assert abs(f1(right, said or None, False) - value) < 1e-12


PUNCTUATION = [
    "-", ":", "_", "*", "^", "/", "\\", "~", "`", "+", "=",
    "，", "。", "：", "？", "！", "“", "”", "；", "’", "《", "》", "……", "·", "、",
    "「", "」", "（", "）", "－", "～", "『", "』",
]  # fmt: skip


def bare(text: str) -> str:
    return "".join(char for char in text.lower().strip() if char not in PUNCTUATION)


def pieces(text: str) -> list[str]:
    """What is not Chinese is split at blanks here, which is all that occurs."""
    found, run = [], ""
    for char in bare(text):
        if "\u4e00" <= char <= "\u9fa5":
            found, run = [*found, *run.split(), char], ""
        else:
            run += char
    return [*found, *run.split()]


def shared(one: list[str], other: list[str]) -> int:
    runs = [one[start:end] for start in range(len(one)) for end in range(start + 1, len(one) + 1)]
    return max((len(run) for run in runs for at in range(len(other)) if other[at : at + len(run)] == run), default=0)


def cmrc(right: list[str], said: str) -> tuple[bool, float]:
    """As cmrc2018_evaluate.py has them."""

    def one(gold: str) -> float:
        wanted, given = pieces(gold), pieces(said)
        same = shared(wanted, given)
        if not same:
            return 0.0
        precision, recall = same / len(given), same / len(wanted)
        return 2 * precision * recall / (precision + recall)

    return any(bare(gold) == bare(said) for gold in right), max(map(one, right))


@given(st.lists(CHINESE.filter(bool), min_size=1, max_size=3), CHINESE.filter(bool))
def test_chinese_counts_as_cmrcs_script_does(right: list[str], said: str) -> None:
    exact, value = cmrc(right, said)
    assert is_exact(right, said, True) == exact
    assert abs(f1(right, said, True) - value) < 1e-12


@given(st.sampled_from(["en", "zh"]), st.lists(st.sampled_from(["cat", "光荣"]), max_size=2))
def test_no_answer_is_right_just_where_there_is_none(kind: str, right: list[str]) -> None:
    characters = kind == "zh"
    assert f1(right, None, characters) == float(is_exact(right, None, characters)) == float(not right)
    assert f1([], "cat", characters) == 0.0 and not is_exact([], "cat", characters)


def test_words_among_chinese_are_split_as_nltk_splits_them() -> None:
    assert segments("由USS Port Royal（CG-73）等3.5米，1,000艘") == [
        "由", "uss", "port", "royalcg73", "等", "3.5", "米", "1,000", "艘"
    ]  # fmt: skip
    assert segments("Henry A. Walsh") == ["henry", "a.", "walsh"]
    assert segments("It's (really) don't.") == ["it", "'s", "(", "really", ")", "do", "n't", "."]


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_the_longest_run_is_a_common_substrings(one: str, other: str) -> None:
    runs = [one[start:end] for start in range(len(one)) for end in range(start + 1, len(one) + 1)]
    assert longest_run(one, other) == max((len(run) for run in runs if run in other), default=0)


def test_the_passage_says_how_its_answers_count() -> None:
    assert by_characters("罗亚尔港号（USS Port Royal CG-73）是美国海军提康德罗加级导弹巡洋舰")
    assert not by_characters("Beijing (北京) is the capital of China")
    assert not by_characters("42")
