"""CoNLL and CoNLL-U: a word per line, a blank line between sentences. A sentence is a row, its columns are lists.

`conll`: columns by tabs or blanks, the word first; its last column is `tags` (as the shared tasks of 2002 and 2003 have
it), and those between are `column2`, `column3`, ... `conllu`: the columns by their names in Universal Dependencies
(`tokens` is FORM, `heads` is HEAD and `relations` DEPREL), `id` from `# sent_id`, `group` from `# newdoc id`; ranges of
multiword tokens (`1-2`) and empty nodes (`1.1`) are no words and are left out. Words must be numbered from 1 without a
gap, as the format says: heads are such numbers.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers.encodings import View, decoded, encoding_remedy, utf8_view
from tunegate.text.readers.rows import CHUNK_ROWS, Chunk, Reject, Rows, shorten, table_of
from tunegate.text.readers.sniff import refuse_wrong_kind

CONLLU = ("id", "tokens", "lemma", "upos", "xpos", "feats", "heads", "relations", "deps", "misc")
NO_WORD = re.compile(r"[1-9][0-9]*-[1-9][0-9]*|(0|[1-9][0-9]*)\.[1-9][0-9]*")  # a range of words, an empty node
DOCUMENT = "-DOCSTART-"
REMEDIES = {
    "CONLL_COLUMNS": "Give every line of the sentence the same columns, or take the sentence out.",
    "CONLL_NUMBER": "Number each sentence's words from 1, part sentences by an empty line, or take the sentence out.",
}


@dataclass
class _Sentence:
    """The lines of one, with the place of the first."""

    line: int = 0
    offset: int = 0
    words: list[list[str]] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)  # by comments
    fault: tuple[str, str] | None = None  # rule and reason
    raw: list[bytes] = field(default_factory=list)


def read_conll(path: Path, source: str, form: str, settings: IngestSettings) -> Iterator[Chunk]:
    """The file's sentences in its order. Raises UserError when the file as a whole cannot be read."""
    refuse_wrong_kind(path, source, form, settings.encoding)
    with utf8_view(path, settings.encoding) as view:
        found = 0
        waiting: list[_Sentence] = []
        for sentence in _sentences(view, universal=form == "conllu"):
            found += 1
            waiting.append(sentence)
            if len(waiting) == CHUNK_ROWS:
                yield _chunk(waiting, view, form, settings.encoding)
                waiting = []
        if not found:
            raise UserError(f"{source} holds no sentence.", "Put a word per line in it, with its tag.")
        yield _chunk(waiting, view, form, settings.encoding)


def _sentences(view: View, *, universal: bool) -> Iterator[_Sentence]:
    sentence, group = _Sentence(), ""
    for line, (offset, raw) in enumerate(view.lines(), start=1):
        text = decoded(raw)
        if not raw.strip():
            if sentence.raw:
                yield sentence
            sentence = _Sentence()
            continue
        if text is not None and text.startswith(DOCUMENT):
            continue
        if universal and text is not None and text.startswith("#"):
            group = _comment(sentence, text, group)
            continue
        if not sentence.raw:
            sentence.line, sentence.offset = line, offset
            sentence.said |= {"group": group} if group else {}
        _add(sentence, raw, text, line, universal=universal)
    if sentence.raw:
        yield sentence


def _comment(sentence: _Sentence, text: str, group: str) -> str:
    """The document that the sentence stands in."""
    name, _, value = text[1:].partition("=")
    if name.strip() == "sent_id":
        sentence.said["id"] = value.strip()
    return value.strip() if name.strip() == "newdoc id" else group


def _add(sentence: _Sentence, raw: bytes, text: str | None, line: int, *, universal: bool) -> None:
    sentence.raw.append(raw)
    if text is None:
        sentence.fault = sentence.fault or ("ENC_INVALID", f"line {line} is no text in the declared encoding")
        return
    cells = text.rstrip("\r\n").split("\t") if universal or "\t" in text else text.split()
    if universal and NO_WORD.fullmatch(cells[0]):
        return
    if universal and cells[0] != str(len(sentence.words) + 1):
        due = len(sentence.words) + 1
        reason = f"line {line} begins with {cells[0][:20]!r} where its word number {due} is due"
        sentence.fault = sentence.fault or ("CONLL_NUMBER", reason)
        return
    wanted = len(CONLLU) if universal else len(sentence.words[0]) if sentence.words else max(2, len(cells))
    if len(cells) != wanted:
        sentence.fault = sentence.fault or ("CONLL_COLUMNS", f"line {line} has {len(cells)} columns, not {wanted}")
        return
    sentence.words.append(cells)


def _chunk(sentences: list[_Sentence], view: View, form: str, encoding: str) -> Chunk:
    rejects = [_reject(each, view, encoding) for each in sentences if each.fault or not each.words]
    kept = [each for each in sentences if not each.fault and each.words]
    tables = [_columns(each, form) for each in kept]
    names = list(dict.fromkeys(name for table in tables for name in table))
    cells = [[table.get(name) for table in tables] for name in names]
    lists = {name: np.ones(len(kept), dtype=bool) for name in names if name not in ("id", "group")}
    rows = Rows(
        table_of(names, cells),
        np.array([each.line for each in kept], dtype=np.int64),
        np.array([each.offset for each in kept], dtype=np.int64),
        lists,
    )
    return Chunk(rows, tuple(rejects), place=view.original_offset)


def _columns(sentence: _Sentence, form: str) -> dict[str, str]:
    """Each column as a list in JSON."""
    columns = list(zip(*sentence.words, strict=True))
    if form == "conllu":
        named = dict(zip(CONLLU[1:], columns[1:], strict=True))
    else:
        between = {f"column{number}": column for number, column in enumerate(columns[1:-1], start=2)}
        named = {"tokens": columns[0], **between, "tags": columns[-1]}
    return {**{name: json.dumps(column, ensure_ascii=False) for name, column in named.items()}, **sentence.said}


def _reject(sentence: _Sentence, view: View, encoding: str) -> Reject:
    rule, reason = sentence.fault or ("CONLL_COLUMNS", "the sentence has no word")
    raw = b"\n".join(sentence.raw)
    remedy = encoding_remedy(raw, encoding) if rule == "ENC_INVALID" else REMEDIES[rule]
    return Reject(sentence.line, view.original_offset(sentence.offset), rule, reason, remedy, shorten(raw))
