"""A file's bytes as UTF-8, in the encoding that was declared; and which encoding would fit where that one does not.

Bytes that the declared encoding does not know stay as bytes that are no UTF-8, so that only their rows are rejected.
"""

import codecs
import mmap
import re
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tunegate.errors import UserError

STEP = 1 << 20  # bytes that are transcoded at once
BAD = "\udc80"  # stands for one undecodable byte; `surrogateescape` writes it as 0x80, which alone is no UTF-8
ON_ERROR = "tunegate-keep-bad-bytes"
STATEFUL = ("iso2022", "hz", "utf_7")  # a character's bytes depend on those before it: places cannot be counted back
SAMPLE = 1 << 16  # bytes that a suggestion is made from


@dataclass(frozen=True)
class View:
    """A file as UTF-8 bytes; `start` is the first one after a byte order mark."""

    data: mmap.mmap | bytes
    start: int
    encoding: str
    original_offset: Callable[[int], int | None]  # of a place in `data`: the place in the file

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Offset and bytes of each line; only a line feed ends a line, whatever else a text may hold."""
        start = self.start
        while start < len(self.data):
            end = self.data.find(b"\n", start)
            end = len(self.data) if end < 0 else end
            yield start, bytes(self.data[start:end])
            start = end + 1


def decoded(raw: bytes) -> str | None:
    """UTF-8 as text; None where it is none."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


@contextmanager
def utf8_view(path: Path, encoding: str) -> Iterator[View]:
    """The file, memory-mapped (through a temporary file where it is not UTF-8). The file must not be empty."""
    codec = codecs.lookup(encoding)
    if not codec._is_text_encoding:
        raise UserError(f"{encoding} is not an encoding of text.", "Set ingest.encoding to the files' encoding.")
    with path.open("rb") as file:
        if codec.name in ("utf-8", "utf-8-sig", "ascii"):
            yield _view(file, codec.name, lambda offset: offset)
            return
        name, start = _resolve_order(codec.name, file)
        with tempfile.TemporaryFile() as copy:
            steps = _transcode(file, start, name, copy)
            yield _view(copy, name, lambda offset: steps.original(copy, offset))


def _view(file: IO[bytes], encoding: str, original_offset: Callable[[int], int | None]) -> View:
    file.seek(0, 2)
    data: mmap.mmap | bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.tell() else b""
    start = 3 if data[:3] == codecs.BOM_UTF8 else 0
    return View(data, start, encoding, original_offset)


def _resolve_order(name: str, file: IO[bytes]) -> tuple[str, int]:
    """UTF-16 and UTF-32 with the byte order of their mark, and the mark's length."""
    if not name.startswith(("utf-16", "utf-32")):
        return name, 0
    width, little, big = (
        (2, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        if name.startswith("utf-16")
        else (4, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
    )
    mark = file.read(width)
    base = name[:6]
    if mark == big:
        return f"{base}-be", width
    if mark == little:
        return f"{base}-le", width
    return (name if len(name) > 6 else f"{base}-le"), 0


@dataclass(frozen=True)
class _Steps:
    """Where each transcoded step starts, in the file and in its UTF-8 copy."""

    encoding: str
    original_starts: list[int]
    copy_starts: list[int]

    def original(self, copy: IO[bytes], offset: int) -> int | None:
        if self.encoding.replace("-", "_").startswith(STATEFUL):
            return None
        number = bisect_right(self.copy_starts, offset) - 1
        copy.seek(self.copy_starts[number])
        text = copy.read(offset - self.copy_starts[number]).decode("utf-8", "surrogateescape")
        known = text.replace(BAD, "")
        return self.original_starts[number] + len(known.encode(self.encoding)) + len(text) - len(known)


def _transcode(file: IO[bytes], start: int, encoding: str, copy: IO[bytes]) -> _Steps:
    codecs.register_error(ON_ERROR, _keep_bad_bytes)
    decoder = codecs.getincrementaldecoder(encoding)(ON_ERROR)
    steps = _Steps(encoding, [], [])
    file.seek(start)
    while True:
        pending = decoder.getstate()[0]
        steps.original_starts.append(file.tell() - len(pending))
        steps.copy_starts.append(copy.tell())
        block = file.read(STEP)
        copy.write(decoder.decode(block, final=not block).encode("utf-8", "surrogateescape"))
        if not block:
            copy.flush()
            return steps


def _keep_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return BAD * (error.end - error.start), error.end


# --- which encoding would fit -------------------------------------------------------------------------------------


def suggest_encodings(sample: bytes) -> list[str]:
    """Encodings that decode the bytes and give likely text, the likeliest first, at most two.

    Likely means: characters that are common in the languages the encoding is used for (the level-1 planes of the
    Chinese and Japanese standards, Hangul, lower-case Cyrillic, Latin letters that stand alone among ASCII ones).
    """
    scores = {name: _likelihood(sample[:SAMPLE], name, judge) for name, judge in _CANDIDATES.items()}
    likely = [name for name, score in scores.items() if score >= 0.6]
    return sorted(likely, key=lambda name: -scores[name])[:2]


def encoding_remedy(sample: bytes, declared: str) -> str:
    """What to do about bytes that the declared encoding does not know."""
    fitting = [name for name in suggest_encodings(sample) if name != declared]
    if not fitting:
        return f"Mend the bytes, or declare the file's encoding with ingest.encoding (now {declared})."
    return f"They would decode as {' or '.join(fitting)}: if the whole file is, set ingest.encoding: {fitting[0]}."


def _likelihood(sample: bytes, encoding: str, judge: Callable[[str], float]) -> float:
    for cut in range(4):  # the sample may end inside a character
        try:
            text = sample[: len(sample) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
        foreign = "".join(letter for letter in text if ord(letter) > 127)
        if not foreign or any("\x80" <= letter <= "\x9f" for letter in foreign):  # C1 controls: never meant
            return 0.0
        return judge(text)
    return 0.0


def _share(text: str, test: Callable[[str], bool]) -> float:
    foreign = [letter for letter in text if ord(letter) > 127]
    return sum(map(test, foreign)) / len(foreign)


def _in_plane(encoding: str, leads: tuple[tuple[int, int], ...]) -> Callable[[str], float]:
    """The share of characters whose first byte in the encoding lies in one of the ranges."""

    def common(letter: str) -> bool:
        try:
            code = letter.encode(encoding)
        except UnicodeEncodeError:
            return False
        return len(code) > 1 and any(first <= code[0] <= last for first, last in leads)

    return lambda text: _share(text, common)


def _japanese(text: str) -> float:
    """Kana and common kanji; a Japanese text without any kana is not likely."""
    kana = _share(text, lambda letter: "\u3040" <= letter <= "\u30ff" or letter in "、。「」")
    plane = _in_plane("shift_jis", ((0x81, 0x97),))(text)
    return plane if kana > 0.15 else 0.0


def _cyrillic(text: str) -> float:
    """Lower-case letters in whole words; a letter alone among ASCII ones is another encoding misread."""
    words = sum(len(word) for word in re.findall(r"[А-яё][а-яё]+", text))
    return words / sum(ord(letter) > 127 for letter in text)


def _western(text: str) -> float:
    """Foreign letters of Western texts stand alone among ASCII ones; a row of them is another encoding misread."""
    rows = sum(len(row) for row in re.findall(r"[\u00a0-\u024f]{3,}", text))
    return 0.95 * (1 - rows / sum(ord(letter) > 127 for letter in text))


def _any_language(text: str) -> float:
    return 1.0  # bytes that happen to be UTF-8 are hardly ever anything else


_CANDIDATES: dict[str, Callable[[str], float]] = {
    "utf-8": _any_language,
    "shift_jis": _japanese,
    "euc_jp": _japanese,
    "gb18030": _in_plane("gb2312", ((0xA1, 0xA3), (0xB0, 0xD7))),
    "big5": _in_plane("big5", ((0xA1, 0xA3), (0xA4, 0xC6))),
    "euc_kr": lambda text: _share(text, lambda letter: "\uac00" <= letter <= "\ud7a3"),
    "cp1251": _cyrillic,
    "cp1252": _western,
}
