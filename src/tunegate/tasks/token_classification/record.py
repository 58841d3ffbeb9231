"""What a record of token classification is: words, each with a tag."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from tunegate.params import Settings
from tunegate.records import Payload
from tunegate.task import Check
from tunegate.text import word_questions
from tunegate.text.tags import OUTSIDE, to_iob2
from tunegate.text.values import words
from tunegate.text.word_questions import QUESTION, WordQuestion, sizes_of

NAME = "token_classification"
TITLE = "token classification"


def tags(cell: str) -> list[str]:
    """A list in JSON, or tags with blanks between them; whatever scheme marks spans, as IOB2."""
    return to_iob2(words(cell))


PAYLOAD = (
    *QUESTION,
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
    *word_questions.CHECKS,
)

AUGMENTERS = ()


class Options(Settings):
    """Token classification has no settings of its own."""


class Record(WordQuestion):
    """A question: a text, or words."""


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
    other = sizes_of(records["tokens"]) != sizes_of(records["tags"])
    return {"tok_tag_len": other, **word_questions.facts(records)}
