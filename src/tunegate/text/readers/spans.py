"""JSON lines of texts with marked spans, as people label them: turned into words with tags.

    {"text": "Anna lives in Paris", "spans": [{"start": 0, "end": 4, "label": "person"}]}
    {"text": "Anna lives in Paris", "label": [[0, 4, "person"]]}            doccano
    {"data": {"text": "..."}, "annotations": [{"result": [{"value":
        {"start": 0, "end": 4, "labels": ["person"], "text": "Anna"}}]}]}   Label Studio, an object per line

Places are characters. A text that says what a span's own words are is believed over places that do not fit, and the row
is rejected: places may have been counted in other units.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tunegate.params import IngestSettings
from tunegate.text.readers.jsonl import read_json_lines
from tunegate.text.readers.rows import Chunk, Reject, Rows, shorten, table_of
from tunegate.text.words import split_words

REMEDY = "Correct the span's places (characters of the text, the end after the last), or take the row out."
OWN = ("text", "spans", "label", "labels", "entities", "data", "annotations", "completions", "predictions")


class _BadSpan(Exception):
    """Rule and reason."""


def read_spans(path: Path, source: str, form: str, settings: IngestSettings) -> Iterator[Chunk]:
    """The file's rows with the columns `tokens`, `starts` and `tags`; others stay. Raises UserError."""
    for chunk in read_json_lines(path, source, "jsonl", settings):
        yield _converted(chunk)


def _converted(chunk: Chunk) -> Chunk:
    rows, rejects = chunk.rows, list(chunk.rejects)
    kept: list[int] = []
    made: list[dict[str, str | None]] = []
    beside = [name for name in rows.columns.schema.names if name not in OWN]
    marks = {name: rows.literal(name) for name in rows.columns.schema.names}
    for number, cells in enumerate(rows.columns.to_pylist()):
        values = {
            name: json.loads(cell) if cell is not None and marks[name][number] else cell for name, cell in cells.items()
        }
        try:
            text, spans = _text_and_spans(values)
            words, starts, tags = tagged(text, spans)
        except _BadSpan as bad:
            rule, reason = bad.args
            raw = shorten(json.dumps(values, ensure_ascii=False))
            place = chunk.place(int(rows.offsets[number]))
            rejects.append(Reject(int(rows.lines[number]), place, rule, reason, REMEDY, raw))
            continue
        kept.append(number)
        lists = {"tokens": words, "starts": starts, "tags": tags}
        made.append(
            {name: json.dumps(value, ensure_ascii=False) for name, value in lists.items()}
            | {name: cells[name] for name in beside}
        )
    names = ["tokens", "starts", "tags", *beside]
    literals = {name: np.ones(len(kept), dtype=bool) for name in names[:3]}
    literals |= {name: marks[name][kept] for name in beside}
    table = table_of(names, [[row[name] for row in made] for name in names])
    return Chunk(Rows(table, rows.lines[kept], rows.offsets[kept], literals), tuple(rejects), chunk.split, chunk.place)


def tagged(text: str, spans: list[tuple[int, int, str]]) -> tuple[list[str], list[int], list[str]]:
    """Words, where each starts, and IOB2 tags. Raises _BadSpan: the text is split into words here, and a span that
    begins or ends within one cannot be told by tags of words."""
    words, starts = split_words(text)
    tags = ["O"] * len(words)
    first_at = {start: number for number, start in enumerate(starts)}
    last_at = {start + len(word): number for number, (start, word) in enumerate(zip(starts, words, strict=True))}
    for start, end, label in sorted(spans):
        if not 0 <= start < end <= len(text):
            raise _BadSpan(
                "SPAN_BOUNDS", f"the span {start} to {end} lies outside of the text of {len(text)} characters"
            )
        inside = text[start:end]
        begin, stop = start + len(inside) - len(inside.lstrip()), end - (len(inside) - len(inside.rstrip()))
        if begin not in first_at or stop not in last_at:
            raise _BadSpan("SPAN_WORDS", f"the span {start} to {end} begins or ends within a word ({inside[:40]!r})")
        first, last = first_at[begin], last_at[stop]
        if any(tag != "O" for tag in tags[first : last + 1]):
            raise _BadSpan("SPAN_OVERLAP", f"the span {start} to {end} overlaps another")
        tags[first : last + 1] = [f"B-{label}", *[f"I-{label}"] * (last - first)]
    return words, starts, tags


def _text_and_spans(values: Mapping[str, Any]) -> tuple[str, list[tuple[int, int, str]]]:
    data = values.get("data")
    text = values.get("text") or (data.get("text") if isinstance(data, dict) else None)
    if not isinstance(text, str):
        raise _BadSpan("FIELD_MISSING", "the row has no text")
    return text, [_span(each, text) for each in _listed(values)]


def _listed(values: Mapping[str, Any]) -> list[Any]:
    for name in ("spans", "entities", "label", "labels"):
        if isinstance(values.get(name), list):
            return list(values[name])
    annotations = values.get("annotations") or values.get("completions")
    if isinstance(annotations, list):
        results = [each.get("result") for each in annotations if isinstance(each, dict)]
        if len(results) > 1:
            raise _BadSpan(
                "SPAN_TWICE", f"the row holds {len(results)} people's annotations; which counts is not known"
            )
        return [each.get("value") for result in results for each in result or [] if isinstance(each, dict)]
    raise _BadSpan("FIELD_MISSING", "the row has neither `spans` nor `label` nor `annotations`")


def _span(given: Any, text: str) -> tuple[int, int, str]:
    said = None
    if isinstance(given, list) and len(given) == 3:
        start, end, label = given
    elif isinstance(given, dict):
        start, end = given.get("start", given.get("start_offset")), given.get("end", given.get("end_offset"))
        label, said = given.get("label") or given.get("labels"), given.get("text")
        label = label[0] if isinstance(label, list) and len(label) == 1 else label
    else:
        start = end = label = None
    if not _is_place(start) or not _is_place(end) or not isinstance(label, str) or not label.strip():
        raise _BadSpan("SPAN_SHAPE", f"a span is not a start, an end and a label ({json.dumps(given)[:80]})")
    if isinstance(said, str) and text[start:end] != said:
        raise _BadSpan(
            "SPAN_TEXT_MISMATCH", f"the span {start} to {end} is {text[start:end][:40]!r}, not {said[:40]!r}"
        )
    return start, end, label.strip()


def _is_place(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
