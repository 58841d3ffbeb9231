"""What a record of multi-label classification is: a text, or a pair, with a set of labels that may be empty."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from tunegate.records import Payload
from tunegate.task import Check
from tunegate.text.label_sets import label_set
from tunegate.text.long_texts import LongTexts
from tunegate.text.questions import CHECKS as OF_QUESTIONS
from tunegate.text.questions import QUESTION, Question
from tunegate.text.questions import facts as facts_of_questions

NAME = "multi_label_classification"
TITLE = "multi-label classification"

PAYLOAD = (
    *QUESTION,
    Payload(
        "labels",
        "labels",
        required=True,
        description="the labels, all that hold",
        type=pa.list_(pa.string()),
        parse=label_set,
    ),
)

EXAMPLES = tuple(
    {"text": text, "labels": labels}
    for text, labels in (
        ("rain is coming tonight", ["weather"]),
        ("a sunny sky and warm wind", ["weather"]),
        ("the storm brings heavy rain", ["weather"]),
        ("snow and wind with hot soup", ["food", "weather"]),
        ("rain at the picnic with fresh bread", ["food", "weather"]),
        ("cake and cheese under a sunny sky", ["food", "weather"]),
        ("fresh bread with butter", ["food"]),
        ("hot soup needs more salt", ["food"]),
        ("cheese and cake for lunch", ["food"]),
        ("nobody answers the phone", []),
        ("the phone is in the office", []),
        ("the office stays closed", []),
    )
)

CHECKS = (
    *OF_QUESTIONS,
    Check("LABEL_TWICE", "label_twice", "a label stands twice in the row", "Give each label of a row once."),
    Check(
        "LABEL_BLANK",
        "label_blank",
        "a label of the row is empty or only white space",
        "Take the empty label out; a row without labels has the empty list.",
    ),
)

AUGMENTERS = ("insertion", "swap", "deletion", "replacement")


class Options(LongTexts):
    """What is done with long texts."""


class Record(Question):
    """A question: one text, or a pair."""


class Answer(BaseModel):
    """Every label whose score reaches its threshold; there may be none."""

    labels: list[str] = Field(description="the labels that hold, in the order of the label file")
    confidence: float = Field(ge=0, le=1, description="calibrated probability that the set is right as a whole")
    sure: bool | None = Field(
        default=None, description="whether the confidence reaches export.sure_precision, where that is set"
    )
    scores: dict[str, float] | None = Field(default=None, description="probability of each label, on request")


def labels(records: pa.Table) -> list[str]:
    """Alphabetical, so that the first label file does not depend on the order of rows."""
    return sorted(label for label in pc.unique(records["labels"].combine_chunks().flatten()).to_pylist() if label)


def facts(records: pa.Table) -> dict[str, NDArray[np.bool_]]:
    sets = [names or [] for names in records["labels"].to_pylist()]
    return {
        **facts_of_questions(records),
        "label_twice": np.array([len(set(names)) < len(names) for names in sets], dtype=bool),
        "label_blank": np.array([any(not name.strip() for name in names) for names in sets], dtype=bool),
    }
