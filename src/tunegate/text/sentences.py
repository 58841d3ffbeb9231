"""A document's sentences, and sentences joined again."""

import re
from collections.abc import Sequence
from typing import Literal

from tunegate.text.words import UNSPACED

Ends = Literal["auto", "lines", "marks"]

WIDE_MARKS = "。！？；…"  # end a sentence whatever follows
CLOSING = "\"'”’」』）)\\]】》"
BREAK = re.compile(rf"(?<=[.!?])[{CLOSING}]*\s+|(?<=[{WIDE_MARKS}])(?![{WIDE_MARKS}])[{CLOSING}]*\s*")
# Titles and the like, a single capital (an initial), and small letters between points ("e.g.").
ABBREVIATED = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|No|vs|etc|cf|al|Inc|Ltd|Co|Fig|pp?|[A-Z])|\b(?:[A-Za-z]\.)+[A-Za-z])\.$"
)
LOOK_BACK = 16  # characters before a break that can show an abbreviation


def sentences_of(document: str, ends: Ends = "auto") -> list[str]:
    """One after the other, without white space around them and none of them empty.

    `lines`: each line is one. `marks`: they end at full stops and the like, wherever lines end. `auto`: lines, where
    there are several, else marks.
    """
    lines = [line.strip() for line in document.splitlines() if line.strip()]
    if ends == "lines" or (ends == "auto" and len(lines) > 1):
        return lines
    return _split(" ".join(lines))


def joined(sentences: Sequence[str]) -> str:
    """With a blank between two, but none where scripts have none."""
    text = ""
    for sentence in sentences:
        blank = "" if not text or re.match(rf"[{UNSPACED}{WIDE_MARKS}]", text[-1]) else " "
        text = f"{text}{blank}{sentence}"
    return text


def _split(text: str) -> list[str]:
    sentences, start = [], 0
    for found in BREAK.finditer(text):
        if ABBREVIATED.search(text[max(start, found.start() - LOOK_BACK) : found.start()]):
            continue
        sentences.append(text[start : found.end()].strip())
        start = found.end()
    return [sentence for sentence in (*sentences, text[start:].strip()) if sentence]
