"""English and Chinese: a catalogue of sentences, and which of the two a reader wants."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Code = Literal["en", "zh"]
CODES: tuple[Code, ...] = ("en", "zh")
CATALOGUE = Path(__file__).with_name("sentences.json")


@dataclass(frozen=True)
class Language:
    """Sentences by key in one language."""

    code: Code

    def say(self, key: str, **values: object) -> str:
        """The sentence with its values filled in. KeyError for a key that the catalogue lacks: a bug."""
        sentence = catalogue()[key][self.code]
        return sentence.format(**values) if values else sentence

    @property
    def html(self) -> str:
        """As the `lang` of a page."""
        return {"en": "en", "zh": "zh-Hans"}[self.code]


@cache
def catalogue() -> Mapping[str, Mapping[Code, str]]:
    """Key to sentence per language."""
    found: dict[str, dict[Code, str]] = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    return found


def choose(asked: str | None, remembered: str | None, accepted: str | None) -> Language:
    """By `?lang=`, else by cookie, else by the Accept-Language header, else English."""
    for wanted in (asked, remembered):
        if wanted in CODES:
            return Language(wanted)
    return Language(_preferred(accepted or ""))


def _preferred(header: str) -> Code:
    """The language with the greatest weight; the first of equals (RFC 9110, section 12.5.4)."""
    best: tuple[float, Code] = (0.0, "en")
    for part in header[:1000].split(","):
        name, _, weight = part.strip().partition(";q=")
        code = name.strip().lower().split("-")[0]
        found = _weight(weight)
        if code in CODES and found > best[0]:
            best = (found, code)
    return best[1]


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
