"""A question of words: the columns, their checks and the service's fields.

What the tasks that answer word by word share; what their answers are is their own.
"""

import re
from typing import Annotated, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from tunegate.records import Payload
from tunegate.task import Check
from tunegate.text.values import json_list, words
from tunegate.text.words import joined_starts, split_words

WHOLE = re.compile(r"-?[0-9]{1,9}")  # what fits an int32


def whole_numbers(cell: str) -> list[int]:
    """A list in JSON, of numbers or of numbers as texts, or numbers with blanks between them."""
    listed = cell.lstrip().startswith("[")
    found = [str(value) for value in (json_list(cell, (int, str), "whole numbers") if listed else cell.split())]
    if not all(WHOLE.fullmatch(value) for value in found):
        raise ValueError("are no list of whole numbers")
    return [int(value) for value in found]


QUESTION = (
    Payload("tokens", "text", required=True, description="the words", type=pa.list_(pa.string()), parse=words),
    Payload(
        "starts",
        "beside",
        required=False,
        description="where each word starts in the person's own text, in characters",
        type=pa.list_(pa.int32()),
        parse=whole_numbers,
    ),
)

CHECKS = (
    Check("WORD_EMPTY", "word_empty", "a word is empty or only white space", "Take the word and its answer out."),
    Check(
        "SPAN_PLACES",
        "span_places",
        "`starts` is no rising list with a place for each word",
        "Correct the places, or leave the column out.",
    ),
)


class WordQuestion(BaseModel):
    """A question: a text, which is split into words here (Chinese into characters), or words."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str | None = Field(default=None, min_length=1, description="the text", examples=["Anna lives in Paris."])
    tokens: list[str] | None = Field(default=None, min_length=1, description="its words, instead of the text")
    starts: list[Annotated[int, Field(ge=0, lt=2**31)]] | None = Field(
        default=None, description="where in your own text each of the words starts"
    )

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


def sizes_of(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """How many values each list holds, int64 [n]; 0 of nothing."""
    return np.asarray(pc.fill_null(pc.list_value_length(column.combine_chunks()), 0), dtype=np.int64)


def facts(records: pa.Table) -> dict[str, NDArray[np.bool_]]:
    """Those that `CHECKS` name."""
    tokens = records["tokens"].combine_chunks()
    blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(pc.fill_null(tokens.flatten(), ""))), 0)
    empty = np.zeros(len(records), dtype=bool)
    empty[np.asarray(pc.list_parent_indices(tokens))[np.asarray(blank, dtype=bool)]] = True
    given = zip(records["starts"].to_pylist(), sizes_of(records["tokens"]).tolist(), strict=True)
    places = [starts is not None and not _rises(starts, size) for starts, size in given]
    return {"word_empty": empty, "span_places": np.array(places, dtype=bool)}


def _rises(places: list[int], size: int) -> bool:
    return len(places) == size and all(one < other for one, other in zip([-1, *places], places, strict=False))


def places_of(records: pa.Table) -> pa.Array:
    """Where each word starts: in the person's own text where that is known, else in the words with a blank between
    them; list<int32> [n]."""
    starts = records["starts"].to_pylist() if "starts" in records.column_names else [None] * len(records)
    found = [
        given if given is not None else joined_starts(tokens or [])
        for given, tokens in zip(starts, records["tokens"].to_pylist(), strict=True)
    ]
    return pa.array(found, pa.list_(pa.int32()))
