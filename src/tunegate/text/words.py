"""A text's words with their places, for tasks that answer word by word.

A word is a run of letters and digits, or one other visible character; in scripts that are written without spaces each
character is a word.
"""

import re

UNSPACED = "一-鿿㐀-䶿豈-﫿぀-ヿ가-힯"
WORD_MARK = "▁"  # begins a word in SentencePiece's vocabularies, as a token of its own where no piece has it
WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+|[^\w\s]")


def split_words(text: str) -> tuple[list[str], list[int]]:
    """The words, and where in the text (in characters) each starts."""
    found = list(WORD.finditer(text))
    return [match.group() for match in found], [match.start() for match in found]


def joined_starts(words: list[str]) -> list[int]:
    """Where each word starts in the text that blanks between the words make."""
    starts, place = [], 0
    for word in words:
        starts.append(place)
        place += len(word) + 1
    return starts
