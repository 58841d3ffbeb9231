"""SQuAD's JSON, and CMRC 2018's: documents with passages, passages with questions. A question is a row.

    {"data": [{"title": "...", "paragraphs": [{"context": "...", "qas": [{"id": "...", "question": "...",
        "answers": [{"text": "...", "answer_start": 0}], "is_impossible": false}]}]}]}              SQuAD 1.1 and 2.0
    [{"context_id": "...", "context_text": "...", "title": "...", "qas": [{"query_id": "...", "query_text": "...",
        "answers": ["..."]}]}]                                                                      CMRC 2018's own

Columns: `id`, `group` (the document's title, where it has one), `question`, `passage` and `answers`; what a question
says beside these keeps its name. `answers` is an empty list where the file says that there is none (`is_impossible`),
and absent where it says nothing: such a question can be asked, and not be learnt from.
A file is one JSON value, so a row's line is the question's number in the file.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers.encodings import SAMPLE, encoding_remedy, utf8_view
from tunegate.text.readers.rows import CHUNK_ROWS, NO_OFFSET, Chunk, Reject, Rows, shorten, table_of
from tunegate.text.readers.sniff import refuse_wrong_kind

HEAD = 65_536  # bytes in which the first passage's or question's key stands, or the file is of another kind
KEYS = (b'"paragraphs"', b'"qas"', b'"context_text"')

CONTEXTS, QUESTIONS, IDS = ("context", "context_text"), ("question", "query_text"), ("id", "query_id")
READ = (*QUESTIONS, *IDS, "answers")
REMEDY = "Correct the question in the file, or take it out."


def looks_like_squad(path: Path) -> bool:
    """Whether a `.json` file is of this kind, by its beginning."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    return any(key in head for key in KEYS)


def read_squad(path: Path, source: str, form: str, settings: IngestSettings) -> Iterator[Chunk]:
    """The file's questions in its order. Raises UserError when the file as a whole cannot be read."""
    refuse_wrong_kind(path, source, form, settings.encoding)
    gathered = _Gathered()
    found = 0
    for number, asked in enumerate(_asked(_documents(path, source, settings.encoding)), start=1):
        found = number
        gathered.add(number, asked)
        if gathered.full:
            yield gathered.chunk()
            gathered = _Gathered()
    if not found:
        raise UserError(f"{source} holds no question.", "Put questions under `qas` in it, as SQuAD has them.")
    yield gathered.chunk()


class _BadQuestion(Exception):
    """Rule and reason."""


@dataclass
class _Gathered:
    """What was read since the last chunk was handed over."""

    cells: list[dict[str, str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return len(self.numbers) + len(self.rejects) >= CHUNK_ROWS

    def add(self, number: int, asked: "_Asked") -> None:
        try:
            self.cells.append(asked.cells())
            self.numbers.append(number)
        except _BadQuestion as bad:
            rule, reason = bad.args
            raw = shorten(json.dumps(asked.question, ensure_ascii=False).encode("utf-8", "backslashreplace"))
            self.rejects.append(Reject(number, None, rule, reason, REMEDY, raw))

    def chunk(self) -> Chunk:
        names = list(dict.fromkeys(name for cells in self.cells for name in cells))
        plain = ("id", "group", "question", "passage")
        literals = {name: np.array([name in cells for cells in self.cells]) for name in names if name not in plain}
        rows = Rows(
            table_of(names, [[cells.get(name) for cells in self.cells] for name in names]),
            np.array(self.numbers, dtype=np.int64),
            np.full(len(self.numbers), NO_OFFSET, dtype=np.int64),
            literals,
        )
        return Chunk(rows, tuple(self.rejects))


@dataclass(frozen=True)
class _Asked:
    """A question as it stands in the file, with the passage and the title above it."""

    title: object
    passage: object
    question: object

    def cells(self) -> dict[str, str]:
        """Column to cell; what is no text as JSON. Raises _BadQuestion."""
        if not isinstance(self.question, dict):
            raise _BadQuestion("QA_SHAPE", f"the question is no object ({json.dumps(self.question)[:80]})")
        text, said = _first(self.question, QUESTIONS), _first(self.question, IDS)
        for name, value in (("question", text), ("passage", self.passage)):
            if not isinstance(value, str):
                raise _BadQuestion("FIELD_MISSING", f"the {name} is missing, or no text")
        title = self.title if isinstance(self.title, str) and self.title.strip() else None
        found = {"id": said, "group": title, "question": text, "passage": self.passage}
        beside = {name: value for name, value in self.question.items() if name not in (*READ, *found)}
        answers = _answers(self.question)
        literals = beside if answers is None else {"answers": answers, **beside}
        written = {name: json.dumps(value, ensure_ascii=False) for name, value in literals.items()}
        cells = {
            name: value if isinstance(value, str) else str(value) for name, value in found.items() if value is not None
        }
        return _writable(cells | written)


def _answers(question: Mapping[str, Any]) -> Any:
    """As they stand in the file, [] where there is none; None where the file does not say. Raises _BadQuestion."""
    answers, impossible = question.get("answers"), question.get("is_impossible")
    if impossible is not None and not isinstance(impossible, bool):
        raise _BadQuestion("QA_IMPOSSIBLE", "its is_impossible is neither true nor false")
    if impossible and answers:
        raise _BadQuestion("QA_IMPOSSIBLE", "the file says that there is no answer (is_impossible), and gives one")
    return answers or ([] if impossible else None)


def _writable(cells: dict[str, str]) -> dict[str, str]:
    """Raises _BadQuestion for half a character, which no file of ours can hold."""
    try:
        "".join(cells.values()).encode()
    except UnicodeEncodeError:
        raise _BadQuestion("SURROGATE", "an escape (\\ud800 to \\udfff) is half a character") from None
    return cells


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((values[name] for name in names if values.get(name) is not None), None)


def _asked(documents: list[Any]) -> Iterator[_Asked]:
    for document in documents:
        for passage in _list(document, "paragraphs") or [document]:
            text = _first(passage, CONTEXTS) if isinstance(passage, dict) else None
            for question in _list(passage, "qas"):
                yield _Asked(document.get("title"), text, question)


def _list(value: object, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _documents(path: Path, source: str, encoding: str) -> list[Any]:
    """Raises UserError for what is no JSON, or of another kind."""
    with utf8_view(path, encoding) as view:
        raw = bytes(view.data[view.start :])
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        with path.open("rb") as file:
            remedy = encoding_remedy(file.read(SAMPLE), encoding)
        raise UserError(f"{source} is not {encoding.upper()}: {error.reason}.", remedy) from error
    except RecursionError as error:
        raise UserError(f"{source} is nested too deeply.", "Write the file again with a JSON library.") from error
    except ValueError as error:
        raise UserError(f"{source} is no JSON: {error}.", "Mend it, or make or fetch the file again.") from error
    documents = value.get("data") if isinstance(value, dict) else value
    if not isinstance(documents, list):
        raise UserError(
            f"{source} is JSON of another kind than SQuAD's: there is no list of documents under `data`.",
            "Give it SQuAD's form, or write an object per line and name it .jsonl.",
        )
    return documents


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
