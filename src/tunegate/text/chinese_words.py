"""Chinese words in a text, which writes none apart: by a person's dictionary, or by rjieba where that is installed.

Whole-word masking hides a word's characters together (Cui et al. 2021, "Pre-training with whole word masking for
Chinese BERT"). All other words are those of `words`.
"""

import re
from collections.abc import Callable, Iterable

from tunegate.errors import UserError
from tunegate.text.words import split_words

HAN = re.compile(r"[一-鿿㐀-䶿豈-﫿]{2,}")

Segment = Callable[[str], list[str]]
"""A run of Chinese characters to its words, which together are the run."""


def word_starts(text: str, segment: Segment) -> list[int]:
    """Where each word starts, in characters: of Chinese runs those of `segment`, else each as `split_words` has it."""
    inside = set[int]()
    for run in HAN.finditer(text):
        place = run.start()
        for word in segment(run.group()):
            inside.update(range(place + 1, place + len(word)))
            place += len(word)
    return [start for start in split_words(text)[1] if start not in inside]


def by_dictionary(words: Iterable[str]) -> Segment:
    """The longest word of the dictionary that starts at each place (maximum matching); else the character alone."""
    known = frozenset(words)
    longest = max(map(len, known), default=1)

    def segment(run: str) -> list[str]:
        found: list[str] = []
        start = 0
        while start < len(run):
            sizes = range(min(longest, len(run) - start), 1, -1)
            size = next((size for size in sizes if run[start : start + size] in known), 1)
            found.append(run[start : start + size])
            start += size
        return found

    return segment


def by_rjieba(section: str = "options") -> Segment:
    """jieba's own dictionary and model, in Rust. Raises UserError where rjieba is not installed; `section` is that of
    the setting that asks for it."""
    try:
        import rjieba
    except ImportError:
        raise UserError(
            f"{section}.chinese_words is rjieba, which is not installed.",
            f'Install it (pip install "tunegate[chinese]"), or name a dictionary of your own in {section}.dictionary.',
        ) from None
    cut: Segment = rjieba.cut
    return cut


def read_dictionary(text: str) -> list[str]:
    """One word per line; what follows a blank or tab (a frequency, a part of speech, as jieba's files have it) is
    not read."""
    return [line.split()[0] for line in text.splitlines() if line.split()]
