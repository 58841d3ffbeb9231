"""Strangers' text on a page: nothing invisible, nothing endless. Escaping is the templates' own."""

import unicodedata

SHOWN = 1_500  # characters of one text; a page with a megabyte in a cell helps nobody
KEPT = frozenset("\n\t")
JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")  # part of words and emoji in many scripts
SPELLED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def shown(text: object, most: int = SHOWN) -> str:
    """Controls and marks of direction are spelled out (`U+202E`); the end is cut off and its length said."""
    whole = str(text)
    start = "".join(map(_visible, whole[:most]))
    return start if len(whole) <= most else f"{start}… ({len(whole):,})"


def _visible(character: str) -> str:
    if character in KEPT or character in JOINERS or unicodedata.category(character) not in SPELLED:
        return character
    return f"\u27e8U+{ord(character):04X}\u27e9"
