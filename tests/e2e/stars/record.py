"""What a record is: a review, with stars from one to five."""

from typing import Annotated

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tunegate.records import Payload
from tunegate.settings import Settings
from tunegate.task import Check
from tunegate.text.questions import filled

NAME = "stars"
TITLE = "stars for reviews"
MOST = 5


def stars(cell: str) -> int:
    """Raises ValueError with a reason that follows the field's name."""
    if cell.strip() not in map(str, range(1, MOST + 1)):
        raise ValueError(f"are no whole number from 1 to {MOST}")
    return int(cell)


PAYLOAD = (
    Payload("review", "text", required=True, description="the review"),
    Payload("stars", "answer", required=True, description="its stars", type=pa.int32(), parse=stars),
)

BY_STARS = {1: ("awful food", "a horrible awful day"), 5: ("lovely food", "a wonderful lovely day")}
EXAMPLES = tuple({"review": review, "stars": number} for number, reviews in BY_STARS.items() for review in reviews)

CHECKS: tuple[Check, ...] = ()
AUGMENTERS = ("swap",)


class Options(Settings):
    """None."""


class Record(BaseModel):
    """A review."""

    model_config = ConfigDict(extra="forbid", strict=True)

    review: Annotated[str, AfterValidator(filled)] = Field(min_length=1, description="the review")


class Answer(BaseModel):
    """The stars that it most likely gives."""

    stars: int = Field(ge=1, le=MOST, description="the likeliest number of stars")
    confidence: float = Field(ge=0, le=1, description="calibrated probability that it is right")
    sure: bool | None = Field(default=None, description="whether the confidence reaches export.sure_precision")


def labels(records: pa.Table) -> list[str]:
    """Numbers have no names."""
    return []


def facts(records: pa.Table) -> dict[str, NDArray[np.bool_]]:
    return {}
