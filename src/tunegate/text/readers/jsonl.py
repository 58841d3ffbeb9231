"""JSON lines: one object per line.

Python's own parser, and not pyarrow's: that one turns texts that look like dates into timestamps where a column is
not named, and keeps the last of two equal keys without a word.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers.encodings import SAMPLE, View, encoding_remedy, utf8_view
from tunegate.text.readers.rows import CHUNK_ROWS, Chunk, Reject, Rows, shorten, table_of
from tunegate.text.readers.sniff import refuse_wrong_kind

CHUNK_BYTES = 16 << 20
DEEPEST = 100  # levels of nesting: far above any record, far below where parsers give up
REMEDY = "Mend the line, or write the file again with a JSON library."


class _BadLine(Exception):
    """Rule and reason of a line that is no record."""


def read_json_lines(path: Path, source: str, form: str, settings: IngestSettings) -> Iterator[Chunk]:
    """The file's objects in its order, keys as columns. Raises UserError when the file as a whole cannot be read."""
    refuse_wrong_kind(path, source, form, settings.encoding)
    with utf8_view(path, settings.encoding) as view:
        yield from _chunks(view, path, source, settings.encoding)


@dataclass
class _Lines:
    """What was read since the last chunk was handed over."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    size: int = 0  # bytes

    @property
    def full(self) -> bool:
        return len(self.lines) + len(self.rejects) >= CHUNK_ROWS or self.size >= CHUNK_BYTES


def _chunks(view: View, path: Path, source: str, encoding: str) -> Iterator[Chunk]:
    read = undecodable = rejected = 0
    gathered = _Lines()
    for line, (offset, raw) in enumerate(view.lines(), start=1):
        if not raw.strip():
            continue
        try:
            gathered.objects.append(_parse(raw))
            gathered.lines.append(line)
            gathered.offsets.append(offset)
            read += 1
        except _BadLine as bad:
            _refuse_other_layout(raw, read + rejected == 0, source)
            rejected += 1
            undecodable += bad.args[0] == "ENC_INVALID"
            gathered.rejects.append(_reject(bad, line, view.original_offset(offset), raw, encoding))
        gathered.size += len(raw)
        if gathered.full:
            yield _chunk(gathered, view)
            gathered = _Lines()
    if undecodable and not read and undecodable == rejected:
        with path.open("rb") as file:
            remedy = encoding_remedy(file.read(SAMPLE), encoding)
        raise UserError(f"{source} is not {encoding.upper()}: none of its {rejected:,} rows can be decoded.", remedy)
    if not read and not rejected:
        raise UserError(f"{source} holds blank lines only.", "Put one JSON object per line in it.")
    yield _chunk(gathered, view)


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        value = _DECODER.decode(raw.decode().strip())
    except UnicodeDecodeError as error:
        raise _BadLine("ENC_INVALID", f"byte {error.start} of the line is no text in the declared encoding") from error
    except RecursionError as error:
        raise _BadLine("JSON", "the line is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise _BadLine("JSON", f"the line is no JSON: {error.msg} at character {error.pos + 1}") from error
    except ValueError as error:
        raise _BadLine("JSON", "a number has more digits than can be read") from error
    if raw.count(b"[") + raw.count(b"{") > DEEPEST and _depth(value) > DEEPEST:
        raise _BadLine("JSON", "the line is nested too deeply")
    if not isinstance(value, dict):
        raise _BadLine("JSON", f"the line is {_kind(value)}, not an object")
    if b"\\ud" in raw.lower() and not _can_be_written(value):
        raise _BadLine("SURROGATE", "an escape (\\ud800 to \\udfff) is half a character")
    return value


def _depth(value: object) -> int:
    depth, layer = 0, [value]
    while layer:
        depth += 1
        inner = [item.values() if isinstance(item, dict) else item for item in layer if isinstance(item, dict | list)]
        layer = [item for items in inner for item in items]
    return depth


def _can_be_written(value: dict[str, Any]) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _BadLine("JSON_KEY_TWICE", f"the key {twice!r} stands twice in one object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise _BadLine("JSON", f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def _kind(value: object) -> str:
    kinds = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def _reject(bad: _BadLine, line: int, offset: int | None, raw: bytes, encoding: str) -> Reject:
    rule, reason = bad.args
    remedy = encoding_remedy(raw, encoding) if rule == "ENC_INVALID" else REMEDY
    return Reject(line, offset, rule, reason, remedy, shorten(raw))


def _refuse_other_layout(raw: bytes, first: bool, source: str) -> None:
    """JSON that is not one object per line is named once, not line by line."""
    if first and raw.lstrip()[:1] == b"[":
        raise UserError(
            f"{source} is one JSON list, not JSON lines.",
            "Write one object per line (for example with `jq -c '.[]'`), without brackets and commas between them.",
        )
    if first and raw.strip() == b"{":
        raise UserError(
            f"{source} spreads an object over several lines, and is not JSON lines.",
            "Write one object per line (for example with `jq -c .`).",
        )


def _chunk(gathered: _Lines, view: View) -> Chunk:
    names = list(dict.fromkeys(key for value in gathered.objects for key in value))
    if gathered.objects and not names:
        names = [""]  # empty objects are rows too
    cells: list[list[str | None]] = []
    literals = {}
    for name in names:
        values = [value.get(name, _ABSENT) for value in gathered.objects]
        cells.append([_cell(value) for value in values])
        marks = np.fromiter((not isinstance(v, str) and v is not _ABSENT for v in values), bool, len(values))
        if marks.any():
            literals[name] = marks
    rows = Rows(
        table_of(names, cells),
        np.array(gathered.lines, dtype=np.int64),
        np.array(gathered.offsets, dtype=np.int64),
        literals,
    )
    return Chunk(rows, tuple(gathered.rejects), place=view.original_offset)


_ABSENT = object()


def _cell(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return None if value is _ABSENT else json.dumps(value, ensure_ascii=False)
