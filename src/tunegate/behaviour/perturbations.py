"""What must not sway a model, done to a text: one function per perturbation, the same text for the same seed.

A function gives the text itself back where it finds nothing to change: a Chinese text has no case.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any

from tunegate.behaviour.schema import Add, Case, Perturb, Punctuation, Simplified, Swap, Traditional, Typos, Width
from tunegate.behaviour.templates import Lists
from tunegate.text.blanks import BLANK

KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
WORD = re.compile(r"[^\W\d_]{4,}")  # shorter words turn into others
HAN = re.compile(r"[㐀-鿿豈-﫿]")
HAN_RUN = re.compile(r"[㐀-鿿豈-﫿]{2,}")
ENDS = ("!", "!!", "...", " .")
HAN_ENDS = ("！", "！！", "……", "。")
WIDER = 0xFEE0  # from an ASCII mark to its full-width form
TO_FULL = {code: code + WIDER for code in range(0x21, 0x7F)} | {0x20: 0x3000}
TO_HALF = {wide: code for code, wide in TO_FULL.items()}

Change = Callable[[str, Any, Random, Lists], str]


def perturbed(text: str, perturb: Perturb, random: Random, lists: Lists) -> str:
    """The changed text, or the text itself where nothing in it can be changed so."""
    name, settings = perturb.chosen
    return PERTURBATIONS[name](text, settings, random, lists)


def added(text: str, addition: str, at: str) -> str:
    """The addition before or after the text, with a blank between them where the script has blanks."""
    first, second = (text.rstrip(), addition) if at == "end" else (addition, text.lstrip())
    if not first or not second:
        return text
    blank = "" if _stands_without_blank(first[-1]) or _stands_without_blank(second[0]) else " "
    return f"{first}{blank}{second}"


def _stands_without_blank(letter: str) -> bool:
    return bool(HAN.match(letter)) or letter in "。，、！？；：…「」（）"


def _typos(text: str, settings: Typos, random: Random, _: Lists) -> str:
    for _edit in range(settings.edits):
        words = [*WORD.finditer(text), *HAN_RUN.finditer(text)]
        if not words:
            break
        word = random.choice(words)
        text = text[: word.start()] + _mistyped(word[0], random) + text[word.end() :]
    return text


def _mistyped(word: str, random: Random) -> str:
    """One slip. Neighbours are swapped where that makes a difference; Chinese writers slip in no other way here."""
    pairs = [number for number in range(len(word) - 1) if word[number] != word[number + 1]]
    if HAN.match(word[0]):
        return _swapped(word, random.choice(pairs)) if pairs else word
    place = random.randrange(1, len(word))
    slip = random.choice(("swap", "drop", "double", "key"))
    inner = [number for number in pairs if number > 0]
    if slip == "swap" and inner:
        return _swapped(word, random.choice(inner))
    if slip == "key" and (beside := _beside(word[place])):
        return word[:place] + random.choice(beside) + word[place + 1 :]
    return word[:place] + word[place + 1 :] if slip == "drop" else word[:place] + word[place] + word[place:]


def _swapped(word: str, number: int) -> str:
    return word[:number] + word[number + 1] + word[number] + word[number + 2 :]


def _beside(letter: str) -> str:
    """The keys left and right of it on a QWERTY keyboard."""
    for row in KEYS:
        number = row.find(letter.lower())
        if number >= 0:
            near = row[max(0, number - 1) : number] + row[number + 1 : number + 2]
            return near.upper() if letter.isupper() else near
    return ""


def _case(text: str, settings: Case, _: Random, __: Lists) -> str:
    change = {"lower": str.lower, "upper": str.upper, "title": str.title}[settings.to]
    start, changed = 0, ""
    for blank in BLANK.finditer(text):
        changed, start = changed + change(text[start : blank.start()]) + blank[0], blank.end()
    return changed + change(text[start:])


def _punctuation(text: str, settings: Punctuation, random: Random, _: Lists) -> str:
    if settings.way == "add":
        return text.rstrip() + random.choice(HAN_ENDS if HAN.search(text) else ENDS)
    blanks = {place for blank in BLANK.finditer(text) for place in range(*blank.span())}  # a word is asked there
    kept = (letter for number, letter in enumerate(text) if number in blanks or not _is_mark(text, number))
    return re.sub(r" {2,}", " ", "".join(kept)).strip()


def _is_mark(text: str, number: int) -> bool:
    """Punctuation that stands between words; `don't`, `e-mail` and `3.50` keep theirs."""
    if not unicodedata.category(text[number]).startswith("P"):
        return False
    before, after = text[number - 1 : number], text[number + 1 : number + 2]
    return not (before.isalnum() and after.isalnum() and not HAN.match(before) and not HAN.match(after))


def _whitespace(text: str, _: Any, random: Random, __: Lists) -> str:
    blanks = [found.start() for found in re.finditer(" ", text)]
    way = random.choice(("around", "double", "line") if blanks else ("around",))
    if way == "double":
        return text.replace(" ", "  ")
    if way == "line":
        at = random.choice(blanks)
        return f"{text[:at]}\n{text[at + 1 :]}"
    return f"  {text} "


def _swap(text: str, settings: Swap, random: Random, lists: Lists) -> str:
    words = tuple(lists[settings.words])
    pattern = _any_of(words)
    present = list(dict.fromkeys(pattern.findall(text)))
    others = [word for word in words if word not in present]
    if not present or not others:
        return text
    # Two different names stay two different names, as long as the list has enough of them.
    drawn = random.sample(others, min(len(present), len(others)))
    given = {word: drawn[number % len(drawn)] for number, word in enumerate(present)}
    return pattern.sub(lambda found: given[found[0]], text)


@cache
def _any_of(words: Sequence[str]) -> "re.Pattern[str]":
    """Whole words, the longest first; Chinese words stand without blanks and are found anywhere."""
    ordered = sorted(words, key=len, reverse=True)
    return re.compile("|".join(re.escape(word) if HAN.match(word) else rf"\b{re.escape(word)}\b" for word in ordered))


def _width(text: str, settings: Width, _: Random, __: Lists) -> str:
    return text.translate(TO_FULL if settings.to == "full" else TO_HALF)


def _traditional(text: str, _: Traditional, __: Random, ___: Lists) -> str:
    return str(_converter("s2t").convert(text))


def _simplified(text: str, _: Simplified, __: Random, ___: Lists) -> str:
    return str(_converter("t2s").convert(text))


@cache
def _converter(way: str) -> Any:
    """OpenCC's tables take a tenth of a second to load."""
    from opencc import OpenCC

    return OpenCC(way)


def _add(text: str, settings: Add, random: Random, _: Lists) -> str:
    return added(text, random.choice(settings.texts), settings.at)


PERTURBATIONS: Mapping[str, Change] = {
    "typos": _typos,
    "case": _case,
    "punctuation": _punctuation,
    "whitespace": _whitespace,
    "swap": _swap,
    "width": _width,
    "traditional": _traditional,
    "simplified": _simplified,
    "add": _add,
}
