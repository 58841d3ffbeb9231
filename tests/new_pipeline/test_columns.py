"""Which column is which field: named alike or said, never guessed."""

import hypothesis
import pytest
from hypothesis import strategies as st

from tunegate.errors import UserError
from tunegate.new_pipeline.columns import choose_columns, shortened
from tunegate.records import Payload

PAYLOAD = (
    Payload("text", "text", required=True, description="the text"),
    Payload("text_b", "text", required=False, description="the second text"),
    Payload("label", "label", required=True, description="the label"),
)
SAMPLES = {"body": "where is my parcel?", "team": "delivery", "when": "2020"}


def test_columns_named_like_the_fields_need_no_words() -> None:
    assert choose_columns(PAYLOAD, {"text": "a", "label": "b", "x": "c"}, {}, None) == {}


def test_given_columns_are_written() -> None:
    assert choose_columns(PAYLOAD, SAMPLES, {"text": "body", "label": "team"}, None) == {
        "text": "body",
        "label": "team",
    }


def test_a_given_column_of_the_fields_own_name_is_not_written() -> None:
    assert choose_columns(PAYLOAD, {"text": "a", "label": "b"}, {"text": "text"}, None) == {}


def test_an_unnamed_label_column_is_never_guessed() -> None:
    """The columns are listed, each with a value, and the option that settles it."""
    with pytest.raises(UserError) as caught:
        choose_columns(PAYLOAD, SAMPLES, {"text": "body"}, None)
    assert "it is not guessed" in caught.value.problem
    assert all(name in caught.value.problem and value in caught.value.problem for name, value in SAMPLES.items())
    assert caught.value.remedy == "Say which one it is: --label COLUMN."


def test_case_makes_another_name() -> None:
    with pytest.raises(UserError, match="not guessed"):
        choose_columns(PAYLOAD, {"Text": "a", "Label": "b"}, {}, None)


def test_a_person_at_a_terminal_is_asked_for_what_is_missing_only() -> None:
    asked = []

    def ask(column: Payload, samples: object) -> str:
        asked.append(column.name)
        return "team"

    chosen = choose_columns(PAYLOAD, SAMPLES, {"text": "body"}, ask)
    assert asked == ["label"]
    assert chosen == {"text": "body", "label": "team"}


@pytest.mark.parametrize("field", ["text", "text_b", "id"])
def test_a_column_that_is_not_there_is_answered_with_the_nearest(field: str) -> None:
    with pytest.raises(UserError, match='Did you mean "team"'):
        choose_columns(PAYLOAD, SAMPLES, {field: "tema"}, None)


def test_an_answer_that_names_no_column_is_refused_like_an_option() -> None:
    with pytest.raises(UserError, match="There is no column"):
        choose_columns(PAYLOAD, SAMPLES, {"text": "body"}, lambda column, samples: "nowhere")


@hypothesis.given(st.text())
def test_what_is_shown_stays_on_one_line_and_short(text: str) -> None:
    assert len(shortened(text)) <= 60
    assert "\n" not in shortened(text)
