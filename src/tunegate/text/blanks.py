"""Blanks in a text: `_` (any number of them) or `[MASK]`, where a word was left out."""

import re

BLANK = re.compile(r"(?<![A-Za-z0-9_])_+(?![A-Za-z0-9_])|\[MASK\]")  # snake_case has none


def count_blanks(text: str | None) -> int:
    return len(BLANK.findall(text or ""))


def filled(text: str, words: str) -> str:
    """The text with the words in every blank."""
    return BLANK.sub(lambda _: words, text)
