"""Strangers' text: nothing invisible, nothing endless; drawings and Markdown escape what they hold."""

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from tunegate.review.charts.bars import bars
from tunegate.review.charts.curves import Axes, Curve, curves, reliability
from tunegate.review.charts.intervals import Interval, interval
from tunegate.review.charts.matrix import confusion, flow
from tunegate.review.summary import safe
from tunegate.review.text import shown

WORDS = ("a title", "a description")


def test_marks_of_direction_are_spelled_out() -> None:
    assert shown("a\u202eb\u2066") == "a⟨U+202E⟩b⟨U+2066⟩"


def test_joiners_of_real_scripts_stay() -> None:
    assert shown("نمی‌خواهم 👨‍👩‍👧") == "نمی‌خواهم 👨‍👩‍👧"


def test_a_megabyte_is_cut_and_its_length_said() -> None:
    assert shown("x" * 1_000_000).endswith("… (1,000,000)")
    assert len(shown("x" * 1_000_000)) < 2_000


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    assert not any(ord(character) < 32 and character not in "\n\t" for character in shown(text))


@given(st.dictionaries(st.tuples(st.text(max_size=8), st.text(max_size=8)), st.integers(1, 9), min_size=1, max_size=6))
def test_drawings_escape_every_label(counted: dict[tuple[str, str], int]) -> None:
    labels = sorted({label for pair in counted for label in pair})
    drawn = [
        confusion(labels, counted, WORDS, ("label", "answer")),
        flow(counted, WORDS, ("before", "after")),
        bars({label: {"train": 1} for label in labels}, WORDS, ("train",)),
    ]
    for picture in drawn:
        assert isinstance(picture, Markup)
        inside = picture.removeprefix("<svg").removesuffix("</svg>")
        assert "<script" not in inside.lower()


def test_a_hostile_label_is_text_in_a_drawing() -> None:
    hostile = '"><script>1</script>'
    picture = confusion([hostile], {(hostile, hostile): 3}, (hostile, hostile), (hostile, hostile))
    assert "<script>" not in picture
    assert "&lt;script&gt;" in picture


def test_every_drawing_has_a_title_and_a_description() -> None:
    drawn = [
        interval(Interval(0.5, 0.4, 0.6, 0.45, "pass"), *WORDS),
        interval(Interval(0.0, None, None, None, "plain"), *WORDS),
        reliability([(0.5, 0.4, 10)], WORDS, Axes("x", "y")),
        reliability([], WORDS, Axes("x", "y")),
        curves([Curve("loss", [(1.0, 0.5)], "series-1", dots=True)], WORDS, Axes("x", "y")),
    ]
    for picture in drawn:
        assert "<title" in picture and "<desc" in picture and 'role="img"' in picture
        assert "style=" not in picture  # the policy forbids it
        assert "nan" not in picture


def test_names_in_a_pull_request_are_neither_markup_nor_told() -> None:
    assert safe("<b>*@team* [x](y)|\nz") == "&lt;b&gt;\\*@\u2060team\\* \\[x\\]\\(y\\)\\| z"
