"""Blanks in a text: `_` (any number of them) or `[MASK]`, where a word was left out."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from tunegate.text.values import json_list

BLANK = re.compile(r"(?<![A-Za-z0-9_])_+(?![A-Za-z0-9_])|\[MASK\]")  # snake_case has none


def count_blanks(text: str | None) -> int:
    return len(BLANK.findall(text or ""))


def filled(text: str, words: str) -> str:
    """The text with the words in every blank."""
    return BLANK.sub(lambda _: words, text)


def text_with_blanks(cell: str) -> str:
    """The text itself. Raises ValueError for one without a blank, with a reason that follows the field's name."""
    if not count_blanks(cell):
        raise ValueError("has no blank (_ or [MASK])")
    return cell


def words_of(cell: str, row: Mapping[str, Any]) -> list[str]:
    """A word for each blank of the row's text: a list in JSON, words with spaces between them, or just one.

    Raises ValueError with a reason that follows the field's name.
    """
    blanks = count_blanks(row.get("text"))
    if not blanks:
        raise ValueError("fill no blank: the text has none (_ or [MASK])")
    if cell.lstrip().startswith("{"):
        raise ValueError("are an object, no list of words")
    found: list[str] = json_list(cell, str, "words") if cell.lstrip().startswith("[") else cell.split()
    if len(found) != blanks:
        raise ValueError(f"are {len(found)} for {blanks} {'blank' if blanks == 1 else 'blanks'}: each takes one word")
    if any(not word.strip() or len(word.split()) > 1 for word in found):
        raise ValueError("hold one that is empty or more than one word")
    return found


def same_word(word: str, other: str) -> bool:
    """Whether both are one word but for case and accents, which uncased models do not tell apart."""
    return _plain(word) == _plain(other)


def _plain(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
