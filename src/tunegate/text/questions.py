"""A question of one text or a pair of texts: the columns, their checks and the service's fields.

What the tasks that answer whole texts share; what their answers are is their own.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from tunegate.records import Payload
from tunegate.task import Check

QUESTION = (
    Payload("text", "text", required=True, description="the text"),
    Payload("text_b", "text", required=False, description="the second text of a pair"),
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


def filled(text: str) -> str:
    """The text itself. White space alone is no text, as it is none in training (TEXT_EMPTY)."""
    if not text.strip():
        raise PydanticCustomError("text_blank", "The text is empty or only white space")
    return text


class Question(BaseModel):
    """One text, or a pair."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Annotated[str, AfterValidator(filled)] = Field(
        min_length=1, description="the text to judge", examples=["Where is my parcel?"]
    )
    text_b: str | None = Field(default=None, description="the second text, where the model was trained on pairs")


def facts(records: pa.Table) -> dict[str, NDArray[np.bool_]]:
    """Those that `CHECKS` name."""
    same = pc.fill_null(pc.equal(records["text"], records["text_b"]), False)
    return {"pair_same": np.asarray(same.combine_chunks().to_numpy(zero_copy_only=False), dtype=bool)}


def second_texts(records: pa.Table) -> pa.ChunkedArray | None:
    """The pairs' second texts; None where no row is a pair."""
    second = records["text_b"] if "text_b" in records.column_names else None
    return None if second is None or second.null_count == len(second) else second


def shown(record: Mapping[str, Any]) -> str:
    """The question in a table for people."""
    return " / ".join(str(record[name]) for name in ("text", "text_b") if record.get(name))
