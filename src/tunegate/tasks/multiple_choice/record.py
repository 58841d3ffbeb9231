"""What a record of multiple choice is: options of which one is right, mostly with a question and a context."""

from typing import Annotated, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from tunegate.params import Settings
from tunegate.records import Payload
from tunegate.task import Check
from tunegate.text.blanks import count_blanks
from tunegate.text.normalise import normalised
from tunegate.text.options import FEWEST, options, place_of_answer
from tunegate.text.questions import filled

NAME = "multiple_choice"
TITLE = "multiple choice"

MOST_OPTIONS = 100  # of one question to the service

PAYLOAD = (
    Payload("question", "text", required=False, description="the question, or a text with a blank (_) for the options"),
    Payload("context", "text", required=False, description="what the question is about"),
    Payload(
        "options",
        "text",
        required=True,
        description="the options to choose from",
        type=pa.list_(pa.string()),
        parse=options,
    ),
    Payload(
        "answer",
        "answer",
        required=True,
        description="the right option: its text, letter or number from 0",
        type=pa.int32(),
        parse_in_row=place_of_answer,
    ),
)

EXAMPLES = tuple(
    {"question": question, "options": options.split(", "), "answer": answer}
    for question, options, answer in (
        ("which one is an animal", "stone, dog", 1),
        ("which one is an animal", "cat, spoon", 0),
        ("which one is an animal", "spoon, stone, horse", 2),
        ("the _ sleeps", "dog, stone", 0),
        ("the _ sleeps", "spoon, cat", 1),
        ("the _ sleeps", "stone, horse, spoon", 1),
        ("which one can run", "horse, stone", 0),
        ("which one can run", "spoon, dog, stone", 1),
        ("which one can run", "stone, cat", 1),
        ("my _ eats", "cat, stone, spoon", 0),
        ("my _ eats", "stone, spoon, dog", 2),
        ("my _ eats", "horse, spoon", 0),
    )
)

CHECKS = (
    Check(
        "OPTION_EMPTY",
        "option_empty",
        "an option is empty or only white space",
        "Fill the option in, or take the row out.",
    ),
    Check(
        "CHOICES_DISTINCT",
        "choices_same",
        "two of the options are the same but for case, punctuation and spaces",
        "Make the options differ, or take the row out: which of them is right cannot be told.",
    ),
    Check(
        "PLACEHOLDER_COUNT",
        "blanks_many",
        "the question has several blanks, and each is filled with the option",
        "Give each blank a row of its own, the other blanks filled.",
        action="warn",
    ),
)

AUGMENTERS = ("shuffle",)


class Options(Settings):
    """How options are put to the model."""

    form: Literal["pairwise", "joint"] = Field(
        default="pairwise",
        description="pairwise: each option with the question in a sequence of its own; joint: all options in one "
        "sequence, which takes one pass per question and lets them be compared word by word",
    )


class Record(BaseModel):
    """Options, with the question and the context that the model was trained with."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: str | None = Field(
        default=None, description="the question, or a text with a blank (_)", examples=["Where do fish live?"]
    )
    context: str | None = Field(default=None, description="what the question is about")
    options: list[Annotated[str, AfterValidator(filled)]] = Field(
        min_length=FEWEST,
        max_length=MOST_OPTIONS,
        description="the options to choose from",
        examples=[["in trees", "in water"]],
    )

    @model_validator(mode="after")
    def all_differ(self) -> Self:
        if len(set(self.options)) < len(self.options):
            raise PydanticCustomError("options_same", "Two of the options are the same")
        return self


class Answer(BaseModel):
    """The option with the highest score."""

    choice: int = Field(ge=0, description="the chosen option's number, from 0")
    option: str = Field(description="its text")
    confidence: float = Field(ge=0, le=1, description="calibrated probability that the choice is right")
    sure: bool | None = Field(
        default=None, description="whether the confidence reaches export.sure_precision, where that is set"
    )
    scores: list[float] | None = Field(default=None, description="probability per option, in your order, on request")


def labels(records: pa.Table) -> list[str]:
    """Options are each row's own: there is no label file."""
    return []


def facts(records: pa.Table) -> dict[str, NDArray[np.bool_]]:
    lists = records["options"].combine_chunks()
    texts, parents = lists.flatten(), np.asarray(pc.list_parent_indices(lists), dtype=np.int64)
    blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(pc.fill_null(texts, ""))), 0)
    empty = np.zeros(len(records), dtype=bool)
    empty[parents[np.asarray(blank, dtype=bool)]] = True
    same = (
        pa.table({"row": parents, "text": normalised(texts)}).group_by(["row", "text"]).aggregate([([], "count_all")])
    )
    double = np.zeros(len(records), dtype=bool)
    double[np.asarray(same["row"].filter(pc.greater(same["count_all"], 1)))] = True
    many = [count_blanks(text) > 1 for text in records["question"].to_pylist()]
    return {"option_empty": empty, "choices_same": double, "blanks_many": np.array(many, dtype=bool)}
