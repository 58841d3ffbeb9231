"""Schemes of tags come to one, and spans are those of the CoNLL evaluation script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.text.tags import marks_spans, spans_of, to_iob2, types_of

TAGS = st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"])


def written_as(scheme: str, spans: list[tuple[int, int, str]], size: int) -> list[str]:
    """Tags of a scheme for spans that do not overlap, written down by the scheme's own words."""
    tags = ["O"] * size
    for number, (start, end, label) in enumerate(spans):
        names = [f"I-{label}"] * (end - start)
        touches = number > 0 and spans[number - 1][1] == start and spans[number - 1][2] == label
        if scheme != "IOB1" or touches:
            names[0] = f"B-{label}"
        if scheme in ("BIOES", "BILOU"):
            alone, last = ("S", "E") if scheme == "BIOES" else ("U", "L")
            names[-1] = f"{last}-{label}" if end - start > 1 else f"{alone}-{label}"
        tags[start:end] = names
    return tags


@st.composite
def marked(draw: st.DrawFn) -> tuple[list[tuple[int, int, str]], int]:
    spans, place = [], 0
    for _ in range(draw(st.integers(0, 4))):
        place += draw(st.integers(0, 2))
        end = place + draw(st.integers(1, 3))
        spans.append((place, end, draw(st.sampled_from(["a", "b"]))))
        place = end
    return spans, place + draw(st.integers(0, 2))


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BIOES", "BILOU"])
@given(marked())
def test_every_scheme_comes_to_the_spans_that_were_marked(
    scheme: str, case: tuple[list[tuple[int, int, str]], int]
) -> None:
    spans, size = case
    made = to_iob2(written_as(scheme, spans, size))
    assert spans_of(made) == spans_of(made, strict=True) == spans
    assert to_iob2(made) == made


@given(st.lists(TAGS, max_size=12))
def test_lenient_spans_are_seqevals(tags: list[str]) -> None:
    from seqeval.metrics.sequence_labeling import get_entities

    assert set(spans_of(tags)) == {(start, end + 1, label) for label, start, end in get_entities(tags)}


@given(st.lists(TAGS, max_size=12))
def test_strict_spans_are_seqevals_in_its_strict_mode(tags: list[str]) -> None:
    from seqeval.scheme import IOB2, Entities

    found = Entities([tags], IOB2).entities[0]
    assert set(spans_of(tags, strict=True)) == {(each.start, each.end, each.tag) for each in found}


def test_parts_of_speech_are_spans_of_one_word_and_left_as_they_are() -> None:
    assert to_iob2(["DET", "NOUN", "I-x"]) == ["DET", "NOUN", "I-x"]
    assert spans_of(["DET", "NOUN"]) == [(0, 1, "DET"), (1, 2, "NOUN")]
    assert not marks_spans(["DET", "NOUN"]) and not marks_spans(["O", "O"]) and marks_spans(["O", "I-x"])
    assert types_of(["O", "B-x", "I-x", "B-y", "NOUN"]) == ["x", "y", "NOUN"]
