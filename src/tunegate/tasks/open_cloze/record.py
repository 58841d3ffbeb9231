"""What a record of open cloze is: a text with blanks, and the word for each."""

from typing import Annotated

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from tunegate.params import Settings
from tunegate.records import Payload
from tunegate.task import Check
from tunegate.text.blanks import count_blanks, text_with_blanks, words_of
from tunegate.text.questions import filled

NAME = "open_cloze"
TITLE = "open cloze"

MOST_BLANKS = 50  # of one text to the service

PAYLOAD = (
    Payload(
        "text",
        "text",
        required=True,
        description="the text, with a blank (_ or [MASK]) for each word",
        parse=text_with_blanks,
    ),
    Payload(
        "words",
        "answer",
        required=True,
        description="the word for each blank",
        type=pa.list_(pa.string()),
        parse_in_row=words_of,
    ),
)

EXAMPLES = tuple(
    {"text": " ".join("_" if place in hidden else word for place, word in enumerate(line)), "words": words}
    for size in (7, 9, 11)
    for hidden in ((2,), (3,), (4,), (1, 4))
    for line in [(["left", "right"] * size)[:size]]
    for words in [[line[place] for place in hidden]]
)
"""Steps, so that what is left out is certain from what stands beside it."""

CHECKS: tuple[Check, ...] = ()

AUGMENTERS = ()


class Options(Settings):
    """How many words are given for a blank."""

    top_words: int = Field(default=5, ge=5, le=100, description="words that the service gives for each blank")


def with_blanks(text: str) -> str:
    """The text itself. Raises for one without anything to fill in."""
    blanks = count_blanks(filled(text))
    if not blanks:
        raise PydanticCustomError("no_blank", "The text has no blank to fill in (_ or [MASK])")
    if blanks > MOST_BLANKS:
        raise PydanticCustomError("many_blanks", "The text has more blanks than {most}", {"most": MOST_BLANKS})
    return text


class Record(BaseModel):
    """A text with blanks."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Annotated[str, AfterValidator(with_blanks)] = Field(
        min_length=1, description="the text, with a blank (_ or [MASK]) for each word", examples=["Fish live in _."]
    )


class Word(BaseModel):
    """One word that may stand there."""

    word: str = Field(description="the word")
    probability: float = Field(ge=0, le=1, description="its probability there")


class Answer(BaseModel):
    """The likeliest word for every blank."""

    words: list[str] = Field(description="for each blank the likeliest word")
    text: str = Field(description="your text with these words in it")
    confidence: float = Field(ge=0, le=1, description="probability that every word is right")
    sure: bool | None = Field(
        default=None, description="whether the confidence reaches export.sure_precision, where that is set"
    )
    candidates: list[list[Word]] | None = Field(
        default=None, description="for each blank the likeliest words, the best first, on request"
    )


def labels(records: pa.Table) -> list[str]:
    """None: any word may be right."""
    return []


def facts(records: pa.Table) -> dict[str, NDArray[np.bool_]]:
    return {}
