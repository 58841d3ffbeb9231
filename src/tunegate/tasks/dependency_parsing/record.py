"""What a record of dependency parsing is: words, each with its head and its relation to it."""

from dataclasses import replace
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from tunegate.params import Settings
from tunegate.records import Payload
from tunegate.task import Check
from tunegate.text import word_questions
from tunegate.text.attachment import has_cycle, heads_outside, roots
from tunegate.text.values import words
from tunegate.text.word_questions import QUESTION, WordQuestion, sizes_of, whole_numbers

NAME = "dependency_parsing"
TITLE = "dependency parsing"

LONGEST = 1_000  # words: what is longer is no sentence, and a tree's arcs grow with the square


def sentence(cell: str) -> list[str]:
    found = words(cell)
    if len(found) > LONGEST:
        raise ValueError(f"hold {len(found):,} words: no sentence, of which {LONGEST:,} are the most")
    return found


PAYLOAD = (
    *(replace(column, parse=sentence) if column.name == "tokens" else column for column in QUESTION),
    Payload(
        "heads",
        "answer",
        required=True,
        description="each word's head: the number of a word, counted from 1, or 0 for the root",
        type=pa.list_(pa.int32()),
        parse=whole_numbers,
    ),
    Payload(
        "relations",
        "answer",
        required=True,
        description="each word's relation to its head",
        type=pa.list_(pa.string()),
        parse=words,
    ),
)

EXAMPLES = tuple(
    {"tokens": text.split(), "heads": [int(head) for head in heads.split()], "relations": relations.split()}
    for text, heads, relations in (
        ("Anna sleeps", "2 0", "nsubj root"),
        ("Ben reads books", "2 0 2", "nsubj root obj"),
        ("the dog sleeps", "2 3 0", "det nsubj root"),
        ("Anna reads the letter", "2 0 4 2", "nsubj root det obj"),
        ("the old dog eats", "3 3 4 0", "det amod nsubj root"),
        ("Ben eats old bread", "2 0 4 2", "nsubj root amod obj"),
        ("the dog reads the old letter", "2 3 0 6 6 3", "det nsubj root det amod obj"),
        ("old dogs sleep", "2 3 0", "amod nsubj root"),
        ("Anna eats the bread", "2 0 4 2", "nsubj root det obj"),
        ("the letter sleeps", "2 3 0", "det nsubj root"),
        ("Ben reads the old books", "2 0 5 5 2", "nsubj root det amod obj"),
        ("old Anna eats books", "2 3 0 3", "amod nsubj root obj"),
    )
)

CHECKS = (
    Check(
        "TREE_LEN",
        "tree_len",
        "the row has another number of heads or relations than of words",
        "Give every word one head and one relation, or take the row out.",
    ),
    Check(
        "HEAD_RANGE",
        "head_range",
        "a head is no word of the sentence and not 0, the root",
        "Count words from 1 within their sentence (multiword ranges and empty nodes are none), and correct the head.",
    ),
    Check(
        "TREE_ROOT",
        "tree_root",
        "not exactly one word hangs on the root",
        "Give one word of the sentence the head 0 and hang the others below it, or split the sentence.",
    ),
    Check(
        "TREE_CYCLE",
        "tree_cycle",
        "a word hangs, over others, on itself",
        "Correct the heads so that every word leads up to the root.",
    ),
    Check(
        "RELATION_EMPTY",
        "relation_empty",
        "a relation is empty, or `_`, which says that none is known",
        "Name the relation, or take the row out.",
    ),
    *word_questions.CHECKS,
)

AUGMENTERS = ()


class Options(Settings):
    """Widths of the vectors that are compared (Dozat and Manning 2017, table 1)."""

    arc_size: int = Field(default=500, ge=8, le=2048, description="width of the vectors that tell who hangs on whom")
    relation_size: int = Field(default=100, ge=8, le=512, description="width of the vectors that tell the relation")


class Record(WordQuestion):
    """A question: a sentence as a text, or its words."""

    @model_validator(mode="after")
    def a_sentence(self) -> Self:
        if len(self.tokens or []) > LONGEST:
            raise PydanticCustomError(
                "sentence_long", "A sentence has at most {most} words; send each sentence alone", {"most": LONGEST}
            )
        return self


class Word(BaseModel):
    """One word's place in the tree."""

    text: str = Field(description="the word")
    start: int = Field(description="its first character's place in the text")
    end: int = Field(description="the place after its last character")
    head: int = Field(ge=0, description="the number of the word that it hangs on, counted from 1; 0 is the root")
    relation: str = Field(description="its relation to the head")
    confidence: float = Field(ge=0, le=1, description="calibrated probability that head and relation are right")
    scores: dict[str, float] | None = Field(
        default=None, description="on request, the probability of the head, and of the relation if the head is right"
    )


class Answer(BaseModel):
    """The words with heads and relations, which make one tree with one root. Places are in characters: of your text
    where you gave one or said where words start, else of the words with a blank between them."""

    words: list[Word] = Field(description="every word with its head and its relation")
    confidence: float = Field(ge=0, le=1, description="calibrated probability that the whole tree is right")
    sure: bool | None = Field(
        default=None, description="whether the confidence reaches export.sure_precision, where that is set"
    )


def labels(records: pa.Table) -> list[str]:
    """The relations by name, so that the file does not depend on the order of rows."""
    return sorted(name for name in pc.unique(records["relations"].combine_chunks().flatten()).to_pylist() if name)


def facts(records: pa.Table) -> dict[str, NDArray[np.bool_]]:
    heads, relations = records["heads"].to_pylist(), records["relations"].to_pylist()
    sizes = sizes_of(records["tokens"])
    other = (sizes_of(records["heads"]) != sizes) | (sizes_of(records["relations"]) != sizes)
    return {
        "tree_len": other,
        "head_range": np.array([heads_outside(each or []) for each in heads], dtype=bool),
        "tree_root": np.array([roots(each or []) != 1 for each in heads], dtype=bool),
        "tree_cycle": np.array([has_cycle(each or []) for each in heads], dtype=bool),
        "relation_empty": np.array(
            [any(name is None or name.strip() in ("", "_") for name in each or []) for each in relations], dtype=bool
        ),
        **word_questions.facts(records),
    }
