"""What a record of text classification is: a text, or a pair of texts, with one label."""

from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from tunegate.params import Settings
from tunegate.records import Payload
from tunegate.task import Check

NAME = "text_classification"
TITLE = "text classification"

PAYLOAD = (
    Payload("text", "text", required=True, description="the text"),
    Payload("text_b", "text", required=False, description="the second text of a pair"),
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

CHECKS = (
    Check(
        "PAIR_SAME",
        "pair_same",
        "the two texts of the pair are the same",
        "Check how the pair's columns are mapped (ingest.columns) and correct the rows.",
        action="warn",
    ),
)


AUGMENTERS = ("insertion", "swap", "deletion")


class Options(Settings):
    """Text classification has no settings of its own."""


def filled(text: str) -> str:
    """The text itself. White space alone is no text, as it is none in training (TEXT_EMPTY)."""
    if not text.strip():
        raise PydanticCustomError("text_blank", "The text is empty or only white space")
    return text


class Record(BaseModel):
    """A question: one text, or a pair."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Annotated[str, AfterValidator(filled)] = Field(
        min_length=1, description="the text to classify", examples=["Where is my parcel?"]
    )
    text_b: str | None = Field(default=None, description="the second text, where the model was trained on pairs")


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


def facts(records: pa.Table) -> dict[str, NDArray[np.bool_]]:
    same = pc.fill_null(pc.equal(records["text"], records["text_b"]), False)
    return {"pair_same": np.asarray(same.combine_chunks().to_numpy(zero_copy_only=False), dtype=bool)}
