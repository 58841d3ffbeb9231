"""What a record of text classification is: a text, or a pair of texts, with one label."""

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, Field

from tunegate.records import Payload
from tunegate.text.long_texts import LongTexts
from tunegate.text.questions import CHECKS, QUESTION, Question, facts

__all__ = ["CHECKS", "facts"]  # those of every question of one text or two

NAME = "text_classification"
TITLE = "text classification"

PAYLOAD = (
    *QUESTION,
    Payload("label", "label", required=True, description="the label"),
)

EXAMPLES = tuple(
    {"text": text, "label": label}
    for label, texts in {
        "weather": (
            "rain is coming tonight",
            "a sunny sky and warm wind",
            "snow and cold wind this morning",
            "the storm brings heavy rain",
            "clouds cover the sunny sky",
            "warm rain and then a storm",
        ),
        "food": (
            "fresh bread with butter",
            "the soup needs more salt",
            "cheese and bread for lunch",
            "a sweet cake with butter",
            "salt the soup and add cheese",
            "lunch was cake and fresh fruit",
        ),
    }.items()
    for text in texts
)

AUGMENTERS = ("insertion", "swap", "deletion", "replacement")


class Options(LongTexts):
    """What is done with long texts."""


class Record(Question):
    """A question: one text, or a pair."""


class Answer(BaseModel):
    """The label with the highest score."""

    label: str = Field(description="the most probable label")
    confidence: float = Field(ge=0, le=1, description="calibrated probability that the label is right")
    sure: bool | None = Field(
        default=None, description="whether the confidence reaches export.sure_precision, where that is set"
    )
    scores: dict[str, float] | None = Field(default=None, description="probability per label, on request")


def labels(records: pa.Table) -> list[str]:
    """Alphabetical, so that the first label file does not depend on the order of rows."""
    return sorted(label for label in pc.unique(records["label"]).to_pylist() if label)
