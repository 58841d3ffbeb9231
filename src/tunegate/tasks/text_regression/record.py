"""What a record of text regression is: a text, or a pair of texts, with a number."""

import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, Field

from tunegate.records import Payload
from tunegate.text.long_texts import LongTexts
from tunegate.text.questions import CHECKS, QUESTION, Question, facts

__all__ = ["CHECKS", "facts"]  # those of every question of one text or two

NAME = "text_regression"
TITLE = "text regression"


def number(cell: str) -> float:
    """Raises ValueError with a reason that follows the field's name."""
    try:
        value = float(cell)
    except ValueError:
        raise ValueError(f"is no number: {json.dumps(cell, ensure_ascii=False)[:40]}") from None
    if not math.isfinite(value):
        raise ValueError("is no finite number")
    return value


PAYLOAD = (
    *QUESTION,
    Payload("score", "answer", required=True, description="the number", type=pa.float64(), parse=number),
)

EXAMPLES = tuple(
    {"text": text, "score": score}
    for score, texts in {
        1.0: ("a wonderful warm day", "the best soup of all", "wonderful bread and butter", "the best day with cake"),
        0.5: ("an ordinary day", "the soup was ordinary", "ordinary bread for lunch", "an ordinary cake"),
        0.0: ("a horrible cold day", "the worst soup of all", "horrible bread for lunch", "the worst cake with salt"),
    }.items()
    for text in texts
)

AUGMENTERS = ("insertion", "swap", "deletion", "replacement")


class Options(LongTexts):
    """How scores are put for learning, and what is done with long texts."""

    center: float = Field(default=0.0, description="what a score is measured from for learning; about their mean")
    spread: float = Field(
        default=1.0, gt=0, description="what a score is measured in for learning; about their standard deviation"
    )


class Record(Question):
    """A question: one text, or a pair."""


class Answer(BaseModel):
    """A number in the unit of the training rows, and where the right one lies nine times in ten."""

    score: float = Field(description="the number")
    low: float = Field(description="the lower end of the interval that holds the right number nine times in ten")
    high: float = Field(description="its upper end")
    confidence: float = Field(ge=0, le=1, description="calibrated probability that the right number lies between both")
    sure: bool | None = Field(
        default=None, description="whether the confidence reaches export.sure_precision, where that is set"
    )


def labels(records: pa.Table) -> list[str]:
    """Numbers have no names."""
    return []


def first_options(records: pa.Table) -> dict[str, Any]:
    """The settings of a new pipeline with such rows: center and spread in three digits."""
    scores = np.asarray(records["score"].drop_null().to_numpy(), dtype=np.float64)
    if not len(scores) or not scores.std():
        return {}
    return {"center": float(f"{scores.mean():.3g}"), "spread": float(f"{scores.std():.3g}")}
