"""Cells that are no single text: read as the field says, or rejected with a reason."""

import pyarrow as pa
import pytest

from tunegate.records import Payload, as_text
from tunegate.text.values import json_list, parsed, unparsed, words

TOKENS = Payload("tokens", "text", required=True, description="the words", type=pa.list_(pa.string()), parse=words)


def test_words_are_a_list_in_json_or_stand_between_blanks() -> None:
    values, reasons = parsed(pa.array(['["a b", "c"]', "a b", None, "[1]", '["a"'], pa.string()), TOKENS)
    assert values.to_pylist() == [["a b", "c"], ["a", "b"], None, None, None]
    assert words('{ "a" }') == ["{", '"a"', "}"]
    with pytest.raises(ValueError, match="are an object"):
        words('{"a": "b"}')
    assert reasons == {3: "its tokens are no list of texts", 4: "its tokens are no list of texts in JSON"}


def test_what_was_parsed_can_be_written_and_parsed_again() -> None:
    values = [["a b", 'c"'], [], None]
    again, reasons = parsed(pa.array(unparsed(values), pa.string()), TOKENS)
    assert again.to_pylist() == values
    assert not reasons


def test_true_is_no_number() -> None:
    with pytest.raises(ValueError, match="are no list of numbers"):
        json_list("[true]", int, "numbers")


def test_any_column_can_be_shown_as_text() -> None:
    spans = pa.array([[{"start": 1, "label": "a"}], None])
    assert as_text(pa.array([["a", "b"], None])).to_pylist() == ["a b", None]
    assert as_text(spans).to_pylist() == ['[{"start": 1, "label": "a"}]', None]
    assert as_text(pa.array(["a", None])).to_pylist() == ["a", None]
