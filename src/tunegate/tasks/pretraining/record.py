"""What a record of pre-training is: a document, of which stretches and pairs of texts are made to be learnt."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tunegate.errors import UserError
from tunegate.params import Settings
from tunegate.records import Payload
from tunegate.task import Check, TaskOptions
from tunegate.text.chinese_words import Segment, by_dictionary, by_rjieba, read_dictionary, word_starts
from tunegate.text.masking import SHARE
from tunegate.text.questions import filled
from tunegate.text.sentence_pairs import IN_ORDER, OUT_OF_ORDER, Sentence, pairs, strangers, stretches
from tunegate.text.sentences import sentences_of

NAME = "pretraining"
TITLE = "pre-training"


def order(cell: str) -> int:
    """Raises ValueError for anything but the two numbers."""
    if cell not in (str(IN_ORDER), str(OUT_OF_ORDER)):
        raise ValueError(f"is neither {IN_ORDER} (text_b follows text) nor {OUT_OF_ORDER} (it does not)")
    return int(cell)


PAYLOAD = (
    Payload("text", "text", required=True, description="a document: its sentences, by lines or by full stops"),
    Payload(
        "text_b", "text", required=False, description="the second text of a pair of your own", may_be_left_out=True
    ),
    Payload(
        "order",
        "answer",
        required=False,
        description="of a pair: 0 where the second text follows the first, else 1",
        type=pa.int8(),
        parse=order,
    ),
    *(
        Payload(
            name,
            "beside",
            required=False,
            description=f"where words start in {of}, in characters; made from options.chinese_words",
            type=pa.list_(pa.int32()),
        )
        for name, of in (("word_starts", "text"), ("word_starts_b", "text_b"))
    ),
)

EXAMPLES = tuple({"text": " ".join((["left", "right"] * 12)[:words])} for words in range(8, 20))
"""Steps, so that what is hidden is certain from what stands beside it."""

CHECKS: tuple[Check, ...] = ()

AUGMENTERS = ()


class Options(Settings):
    """How words are hidden, and what else is learnt from documents."""

    sentences: Literal["none", "nsp", "sop"] = Field(
        default="none",
        description="what is learnt of pairs beside words: whether the second text is the next or a random one (nsp, "
        "Devlin et al. 2019), or which of two came first (sop, Lan et al. 2020)",
    )
    masking: Literal["words", "tokens"] = Field(
        default="words", description="what is hidden together: whole words, or single tokens"
    )
    share: float = Field(
        default=SHARE, gt=0, le=0.5, description="share of words that are hidden; 0.15 in Devlin et al. 2019"
    )
    chinese_words: Literal["characters", "dictionary", "rjieba"] = Field(
        default="characters",
        description="what is a word of Chinese while learning: a character, a word of `dictionary` (the longest that "
        "fits), or of rjieba",
    )
    dictionary: str | None = Field(
        default=None, description="a file with a word per line, relative to the root; for chinese_words: dictionary"
    )
    sentence_ends: Literal["auto", "lines", "marks"] = Field(
        default="auto", description="where a document's sentences end: lines where it has several, else full stops"
    )
    words: int = Field(
        default=90,
        ge=2,
        le=8192,
        description="most words (of Chinese: characters) in what is learnt at once; choose what tokenize.max_length "
        "holds",
    )
    top_words: int = Field(default=5, ge=2, le=100, description="words that the service gives for each [MASK]")
    seed: int = Field(default=0, ge=0, description="seed of the pairs")

    @model_validator(mode="after")
    def _a_dictionary_is_there_to_be_used(self) -> Self:
        if (self.chinese_words == "dictionary") != (self.dictionary is not None):
            raise ValueError("must set chinese_words: dictionary and dictionary together")
        return self

    def named_files(self) -> list[str]:
        """Files that a run reads beside the data, relative to the root."""
        return [] if self.dictionary is None else [self.dictionary]


class Record(BaseModel):
    """A question: what stands at each [MASK] of a text; how well a text without one is known; or, of two texts,
    whether the second follows the first."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Annotated[str, AfterValidator(filled)] = Field(
        min_length=1, description="the text, with [MASK] for words to fill in", examples=["Where is my [MASK]?"]
    )
    text_b: Annotated[str, AfterValidator(filled)] | None = Field(
        default=None, description="the text that may follow, where the model has learnt the order of texts"
    )


class Word(BaseModel):
    """One word that may stand there."""

    word: str = Field(description="the word, or the piece of one")
    probability: float = Field(ge=0, le=1, description="its probability there")


class Answer(BaseModel):
    """What was asked; what was not asked is empty."""

    masks: list[list[Word]] = Field(description="for each [MASK] the likeliest words, the best first")
    follows: float | None = Field(default=None, ge=0, le=1, description="probability that text_b follows text")
    hidden: int | None = Field(default=None, description="of a text without [MASK]: words that were hidden to judge it")
    loss: float | None = Field(
        default=None, description="mean of minus the log probability of these words (natural logarithm)"
    )
    confidence: float = Field(ge=0, le=1, description="probability that every word and the order are right")
    sure: bool | None = Field(
        default=None, description="whether the confidence reaches export.sure_precision, where that is set"
    )


def labels(records: pa.Table) -> list[str]:
    """None: what is right are words."""
    return []


def facts(records: pa.Table) -> dict[str, NDArray[np.bool_]]:
    return {}


def examples_from(records: pa.Table, options: TaskOptions, read: Callable[[str], str]) -> pa.Table:
    """Documents of one split to what is learnt from them, or judged by: a row per stretch of text or pair.

    Training rows are stretches, or pairs where the options want them; what judges is both, each alone, because nothing
    is hidden in a pair whose order is asked. A row that is a pair already stays. `read` gives a named file's text.
    Raises UserError.
    """
    maker = _Maker(records, options, _segment(options, read))
    rows = list(maker.rows())
    place = pa.array([row.record for row in rows], pa.int64())
    columns: dict[str, Any] = {name: records[name].take(place) for name in records.column_names}
    columns["id"] = [row.id for row in rows]
    groups = [
        given or own
        for given, own in zip(columns["group"].to_pylist(), records["id"].take(place).to_pylist(), strict=True)
    ]
    columns |= {"group": groups, "text": [row.first for row in rows], "text_b": [row.second for row in rows]}
    columns |= {"order": [row.order for row in rows]}
    columns |= {"word_starts": [maker.starts(row.first) for row in rows]}
    columns |= {"word_starts_b": [maker.starts(row.second) for row in rows]}
    return pa.table({field.name: columns[field.name] for field in records.schema}, schema=records.schema)


@dataclass(frozen=True)
class _Row:
    record: int
    id: str
    first: str
    second: str | None
    order: int | None


@dataclass(frozen=True)
class _Maker:
    records: pa.Table
    options: TaskOptions
    segment: Segment | None

    def rows(self) -> Iterator[_Row]:
        texts, seconds, orders, ids, splits = (
            self.records[name].to_pylist() for name in ("text", "text_b", "order", "id", "split")
        )
        documents = [
            [Sentence.of(sentence) for sentence in sentences_of(text, self.options["sentence_ends"])] for text in texts
        ]
        others = strangers(documents)
        for record, (own, second) in enumerate(zip(ids, seconds, strict=True)):
            if second is not None:
                yield _Row(record, own, texts[record], second, orders[record])
                continue
            if self.options["sentences"] == "none" or splits[record] != "train":
                for number, text in enumerate(stretches(documents[record], self.options["words"])):
                    yield _Row(record, f"{own}/{number}", text, None, None)
            if self.options["sentences"] != "none":
                yield from self._pairs(documents, others, record)

    def _pairs(self, documents: list[list[Sentence]], others: Sequence[int], record: int) -> Iterator[_Row]:
        kind, options = self.options["sentences"], self.options
        own, split = (self.records[name][record].as_py() for name in ("id", "split"))
        try:
            for number, pair in enumerate(
                pairs(documents, record, options["words"], kind, options["seed"], others=others)
            ):
                if pair.second is not None or split == "train":
                    yield _Row(record, f"{own}/pair-{number}", pair.first, pair.second, pair.order)
        except ValueError:
            raise UserError(
                f"options.sentences is nsp, and the {split} rows hold one document alone: a random next sentence "
                "comes from another one.",
                "Give more documents or a larger share of them (split), or set options.sentences to sop or none.",
            ) from None

    def starts(self, text: str | None) -> list[int] | None:
        return None if text is None or self.segment is None else word_starts(text, self.segment)


def _segment(options: TaskOptions, read: Callable[[str], str]) -> Segment | None:
    if options["chinese_words"] == "dictionary":
        return by_dictionary(read_dictionary(read(options["dictionary"])))
    return by_rjieba() if options["chinese_words"] == "rjieba" else None
