"""What a record of token classification is: words, each with a tag."""

from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from tunegate.params import Settings
from tunegate.records import Payload
from tunegate.task import Check
from tunegate.text.tags import OUTSIDE, to_iob2
from tunegate.text.values import json_list, words
from tunegate.text.words import split_words

NAME = "token_classification"
TITLE = "token classification"


def tags(cell: str) -> list[str]:
    """A list in JSON, or tags with blanks between them; whatever scheme marks spans, as IOB2."""
    return to_iob2(words(cell))


def places(cell: str) -> list[int]:
    return json_list(cell, int, "whole numbers")


PAYLOAD = (
    Payload("tokens", "text", required=True, description="the words", type=pa.list_(pa.string()), parse=words),
    Payload(
        "starts",
        "beside",
        required=False,
        description="where each word starts in the person's own text, in characters",
        type=pa.list_(pa.int32()),
        parse=places,
    ),
    Payload("tags", "answer", required=True, description="a tag for each word", type=pa.list_(pa.string()), parse=tags),
)

EXAMPLES = tuple(
    {"tokens": text.split(), "tags": marks.split()}
    for text, marks in (
        ("Anna lives in Paris", "B-person O O B-place"),
        ("Ben Miller went to New York", "B-person I-person O O B-place I-place"),
        ("Paris is far from Rome", "B-place O O O B-place"),
        ("Rome was shown to Ben", "B-place O O O B-person"),
        ("Anna Miller and Ben came", "B-person I-person O B-person O"),
        ("they went from New York to Rome", "O O O B-place I-place O B-place"),
        ("in Paris Anna met Ben Miller", "O B-place B-person O B-person I-person"),
        ("New York is shown", "B-place I-place O O"),
        ("Ben lives far from Anna", "B-person O O O B-person"),
        ("they came to Paris", "O O O B-place"),
        ("Anna Miller lives in Rome", "B-person I-person O O B-place"),
        ("from Rome Ben went to Paris", "O B-place B-person O O B-place"),
    )
)

CHECKS = (
    Check(
        "TOK_TAG_LEN",
        "tok_tag_len",
        "the row has another number of tags than of words",
        "Give every word a tag, or take the row out.",
    ),
    Check("WORD_EMPTY", "word_empty", "a word is empty or only white space", "Take the word and its tag out."),
    Check(
        "SPAN_PLACES",
        "span_places",
        "`starts` is no rising list with a place for each word",
        "Correct the places, or leave the column out.",
    ),
)

AUGMENTERS = ()


class Options(Settings):
    """Token classification has no settings of its own."""


class Record(BaseModel):
    """A question: a text, which is split into words here (Chinese into characters), or words."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str | None = Field(
        default=None, min_length=1, description="the text to tag", examples=["Anna lives in Paris."]
    )
    tokens: list[str] | None = Field(default=None, min_length=1, description="its words, instead of the text")
    starts: list[int] | None = Field(default=None, description="where in your own text each of the words starts")

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        if self.text is not None and self.tokens is None:
            self.tokens, self.starts = split_words(self.text)
            if not self.tokens:
                raise PydanticCustomError("text_blank", "The text is empty or only white space")
        if self.tokens is None:
            raise PydanticCustomError("question_missing", "Give the text, or its tokens")
        if any(not token.strip() for token in self.tokens):
            raise PydanticCustomError("token_blank", "A token is empty or only white space")
        if self.starts is not None and len(self.starts) != len(self.tokens):
            raise PydanticCustomError("starts_length", "There must be a start for each token")
        return self


class Word(BaseModel):
    """One word's tag."""

    text: str = Field(description="the word")
    start: int = Field(description="its first character's place in the text")
    end: int = Field(description="the place after its last character")
    tag: str = Field(description="the most probable tag")
    confidence: float = Field(ge=0, le=1, description="calibrated probability that the tag is right")
    scores: dict[str, float] | None = Field(default=None, description="probability per tag, on request")


class Span(BaseModel):
    """Words that belong together."""

    start: int = Field(description="the first character's place in the text")
    end: int = Field(description="the place after the last character")
    label: str = Field(description="what it is")
    first: int = Field(description="the first word's number, from 0")
    last: int = Field(description="the last word's number")
    confidence: float = Field(ge=0, le=1, description="that of its least sure word")


class Answer(BaseModel):
    """The words with their tags, and the spans that the tags mark. Places are in characters: of your text where you
    gave one or said where words start, else of the words with a blank between them."""

    spans: list[Span] = Field(description="what was found, in the text's order")
    words: list[Word] = Field(description="every word with its tag")
    confidence: float = Field(ge=0, le=1, description="calibrated probability that every tag is right")
    sure: bool | None = Field(
        default=None, description="whether the confidence reaches export.sure_precision, where that is set"
    )


def labels(records: pa.Table) -> list[str]:
    """The tag of what is outside first, then by name, so that the file does not depend on the order of rows."""
    found = {tag for tag in pc.unique(records["tags"].combine_chunks().flatten()).to_pylist() if tag}
    return [*([OUTSIDE] if OUTSIDE in found else []), *sorted(found - {OUTSIDE})]


def facts(records: pa.Table) -> dict[str, NDArray[np.bool_]]:
    tokens, starts = records["tokens"].combine_chunks(), records["starts"].combine_chunks()
    sizes = pc.fill_null(pc.list_value_length(tokens), 0)
    blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(pc.fill_null(tokens.flatten(), ""))), 0)
    empty = np.zeros(len(records), dtype=bool)
    empty[np.asarray(pc.list_parent_indices(tokens))[np.asarray(blank, dtype=bool)]] = True
    other = pc.not_equal(sizes, pc.fill_null(pc.list_value_length(records["tags"].combine_chunks()), 0))
    return {
        "tok_tag_len": np.asarray(other, dtype=bool),
        "word_empty": empty,
        "span_places": np.array(
            [
                given is not None and not _rises(given, size)
                for given, size in zip(starts.to_pylist(), sizes.to_pylist(), strict=True)
            ],
            dtype=bool,
        ),
    }


def _rises(places: list[int], size: int) -> bool:
    return len(places) == size and all(one < other for one, other in zip([-1, *places], places, strict=False))
