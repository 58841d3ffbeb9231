"""What a record of question answering is: a question, a passage, and the answers that stand in the passage."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tunegate.params import Settings
from tunegate.records import Payload
from tunegate.task import Check
from tunegate.text.answer_places import place_of, places_of
from tunegate.text.questions import filled

NAME = "question_answering"
TITLE = "question answering"

ANSWERS = pa.list_(pa.struct([pa.field("text", pa.string()), pa.field("start", pa.int32())]))
REASON = "are no list of answers, each with its text and its start"
PLACEHOLDER = re.compile(r"(fake|dummy|placeholder|hidden|unknown)?[\W_]*answer[\W_]*\d*|fake|dummy|placeholder", re.I)


def answers(cell: str) -> list[dict[str, Any]]:
    """A list of texts with their starts, or lists of both (`{"text": [...], "answer_start": [...]}`, Hugging Face)."""
    try:
        value = json.loads(cell)
    except ValueError:
        raise ValueError(f"{REASON}, in JSON") from None
    if isinstance(value, dict) and isinstance(value.get("text"), list):
        texts, starts = value["text"], value.get("answer_start", value.get("start"))
        if not isinstance(starts, list) or len(starts) != len(texts):
            raise ValueError("have another number of texts than of starts")
        value = [{"text": text, "start": start} for text, start in zip(texts, starts, strict=True)]
    if not isinstance(value, list):
        raise ValueError(REASON)
    return [_answer(one) for one in value]


def _answer(given: object) -> dict[str, Any]:
    """A text alone may stand where its place is not known. Raises ValueError."""
    one = {"text": given} if isinstance(given, str) else given
    if not isinstance(one, dict) or not isinstance(one.get("text"), str):
        raise ValueError(REASON)
    start = one.get("start", one.get("answer_start"))
    if start is not None and (not isinstance(start, int) or isinstance(start, bool) or abs(start) >= 2**31):
        raise ValueError("have a start that is no whole number")
    return {"text": one["text"], "start": start}


PAYLOAD = (
    Payload("question", "text", required=True, description="the question"),
    Payload("passage", "text", required=True, description="the passage that is asked about", shared=True),
    Payload(
        "answers",
        "answer",
        required=True,
        description="the right answers, each with its text and its start in the passage; none: []",
        type=ANSWERS,
        parse=answers,
    ),
)


def _example(question: str, passage: str, answer: str) -> dict[str, Any]:
    found = [{"text": answer, "start": passage.index(answer)}] if answer else []
    return {"question": question, "passage": passage, "answers": found}


EXAMPLES = (
    _example("who lives in rome", "anna lives in rome", "anna"),
    _example("who lives in paris", "ben miller lives in paris", "ben miller"),
    _example("who sells bread", "tom sells bread", "tom"),
    _example("where does anna live", "anna lives in rome", "rome"),
    _example("where does ben live", "ben miller lives in paris", "paris"),
    _example("where is the market", "the market is in new york", "new york"),
    _example("what does tom sell", "tom sells bread", "bread"),
    _example("when does the train leave", "the train leaves at nine", "at nine"),
    _example("when does the shop open", "the shop opens at ten", "at ten"),
    _example("what colour is the house", "the house is red", "red"),
    _example("who wrote the song", "the house is red", ""),
    _example("who wrote the book", "the market is in new york", ""),
)


def _nowhere(row: Mapping[str, Any]) -> str:
    return f"{_shown(row['answers'][0]['text'])} does not stand in it" if row["answers"] else "none"


def _elsewhere(row: Mapping[str, Any]) -> str:
    """Where the first answer that stands anywhere does."""
    for one in row["answers"]:
        if places := places_of(row["passage"], one["text"], most=4):
            said = "and no start is given" if one["start"] is None else f"not at {one['start']}"
            shown = ", ".join(map(str, places[:3])) + (", ..." if len(places) > 3 else "")
            return f"{_shown(one['text'])} stands at {shown}, {said}"
    return ""


def _some(row: Mapping[str, Any]) -> str:
    lost = [one for one in row["answers"] if place_of(row["passage"], one) is None]
    return f"{len(lost)} of {len(row['answers'])}: {_shown(lost[0]['text'])}, start {lost[0]['start']}"


def _first(row: Mapping[str, Any]) -> str:
    return _shown(row["answers"][0]["text"])


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


CHECKS = (
    Check(
        "ANSWER_FAKE",
        "answer_fake",
        "every answer is a placeholder: the set's makers keep the right ones back, so that nothing can be learnt or "
        "judged from it",
        "Leave the file out (ingest.files), or put the right answers in; its questions can be answered with "
        "`tunegate predict`.",
        detail=_first,
    ),
    Check(
        "ANSWER_EMPTY",
        "answer_empty",
        "an answer is empty",
        "Write the answer in; a question that has none has the answers [].",
    ),
    Check(
        "ANSWER_PLACE",
        "answer_place",
        "no answer stands where the data says it does, though one stands elsewhere in the passage",
        "Set its start to the character at which it stands (the first is 0).",
        detail=_elsewhere,
    ),
    Check(
        "ANSWER_ABSENT",
        "answer_absent",
        "no answer stands in the passage",
        "Take the answer from the passage letter by letter, or leave the row out.",
        detail=_nowhere,
    ),
    Check(
        "ANSWER_SOME",
        "answer_some",
        "some of the answers do not stand where the data says they do",
        "Correct them; until then one that does is learnt, and all of them count as right.",
        action="warn",
        detail=_some,
    ),
)

AUGMENTERS = ()


class Options(Settings):
    """What an answer may be."""

    max_answer_tokens: int = Field(
        default=50, ge=1, le=512, description="tokens of the longest answer: no longer span of the passage is looked at"
    )


class Record(BaseModel):
    """A question about a passage."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: Annotated[str, AfterValidator(filled)] = Field(
        min_length=1, description="the question", examples=["Who lives in Rome?"]
    )
    passage: Annotated[str, AfterValidator(filled)] = Field(
        min_length=1, description="the passage that is asked about", examples=["Anna lives in Rome."]
    )


class Alternative(BaseModel):
    """An answer that was weighed."""

    text: str | None = Field(description="its words; null: that there is no answer")
    start: int | None = Field(description="its first character's place in the passage")
    end: int | None = Field(description="the place after its last character")
    score: float = Field(ge=0, le=1, description="its probability among those that were weighed")


class Answer(BaseModel):
    """Words of the passage, exactly as they stand there: `passage[start:end]`, in characters of the asker's string."""

    text: str | None = Field(description="the answer; null where the passage holds none")
    start: int | None = Field(description="its first character's place in the passage")
    end: int | None = Field(description="the place after its last character")
    confidence: float = Field(ge=0, le=1, description="calibrated probability that the answer is exactly right")
    sure: bool | None = Field(
        default=None, description="whether the confidence reaches export.sure_precision, where that is set"
    )
    scores: list[Alternative] | None = Field(
        default=None, description="the best answers with their probabilities, on request"
    )


def labels(records: pa.Table) -> list[str]:
    """None: an answer is any span of its passage."""
    return []


def facts(records: pa.Table) -> dict[str, NDArray[np.bool_]]:
    found = [
        _facts(passage or "", given or [])
        for passage, given in zip(records["passage"].to_pylist(), records["answers"].to_pylist(), strict=True)
    ]
    return {check.fact: np.array([check.fact in one for one in found], dtype=bool) for check in CHECKS}


def _facts(passage: str, given: Sequence[Mapping[str, Any]]) -> set[str]:
    """Those of one row; the first that is true of all of its answers says it all."""
    if not given:
        return set()
    if any(not one["text"].strip() for one in given):
        return {"answer_empty"}
    placed = [place_of(passage, one) is not None for one in given]
    if all(placed):
        return set()
    if any(placed):
        return {"answer_some"}
    if any(places_of(passage, one["text"], most=1) for one in given):
        return {"answer_place"}
    fake = all(PLACEHOLDER.fullmatch(one["text"].strip()) for one in given)
    return {"answer_fake" if fake else "answer_absent"}
