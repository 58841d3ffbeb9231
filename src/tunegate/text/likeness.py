"""How like an answer is to the right ones, as the reading-comprehension benchmarks count.

English and other scripts with blanks between words: SQuAD's (Rajpurkar et al. 2016 and 2018, evaluate-v2.0.py): small
letters, without punctuation, articles and extra blanks; F1 over the bag of words. Chinese: CMRC 2018's (Cui et al.
2019, cmrc2018_evaluate.py): without the punctuation that it lists; F1 over the longest common run of characters, where
what is not Chinese counts by words. Of several right answers the likest counts.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

from tunegate.text.words import UNSPACED

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)
# Those of CMRC 2018's script. Its "……" is left out: as two characters it never equals one, and nothing is taken out.
CHINESE_PUNCTUATION = frozenset("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
IN_UNSPACED = re.compile(f"[{UNSPACED}]")
LETTER = re.compile(rf"[^\W\d_{UNSPACED}]+")
RUN = re.compile(rf"[{UNSPACED}]|[^{UNSPACED}]+")
# Of what is not Chinese: what stands alone although no blank is beside it, and how an English word's end is parted.
ALONE = re.compile(r"[\[\](){}<>\"!?;@#$%&]|\.{3}|,(?!\d)|(?<!\.)\.(?=[\])}>\"'\s]*$)")
ENDING = re.compile(r"(?<=\S)('s|'m|'d|'ll|'re|'ve|n't)(?=\s|$)")


def by_characters(passage: str) -> bool:
    """Whether answers from it count as CMRC 2018 counts: where it has at least as many characters of scripts without
    blanks as words of others."""
    unspaced = len(IN_UNSPACED.findall(passage))
    return unspaced > 0 and unspaced >= len(LETTER.findall(passage))


def is_exact(right: Sequence[str], said: str | None, characters: bool) -> bool:
    """Whether what was said is one of the right answers but for what does not count; None says that there is none."""
    bare = _without_chinese_punctuation if characters else _words_alone
    wanted = _right(right, characters)
    if not wanted or said is None:
        return not wanted and (said is None or not bare(said))
    return bare(said) in map(bare, wanted)


def f1(right: Sequence[str], said: str | None, characters: bool) -> float:
    """Between 0 and 1; of a question without an answer, 1 for saying so."""
    wanted = _right(right, characters)
    if not wanted or said is None:
        return float(is_exact(right, said, characters))
    one = _f1_of_runs if characters else _f1_of_bags
    return max(one(answer, said) for answer in wanted)


def _right(right: Sequence[str], characters: bool) -> list[str]:
    """SQuAD leaves out answers of which nothing counts: without another there is none."""
    return list(right) if characters else [answer for answer in right if _words_alone(answer)]


def _words_alone(text: str) -> str:
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split())


def _f1_of_bags(right: str, said: str) -> float:
    wanted, given = _words_alone(right).split(), _words_alone(said).split()
    return _f1((Counter(wanted) & Counter(given)).total(), len(wanted), len(given))


def _f1_of_runs(right: str, said: str) -> float:
    wanted, given = segments(right), segments(said)
    return _f1(longest_run(wanted, given), len(wanted), len(given))


def _f1(shared: int, wanted: int, given: int) -> float:
    return 2 * shared / (wanted + given) if shared else 0.0


def _without_chinese_punctuation(text: str) -> str:
    return "".join(char for char in text.lower().strip() if char not in CHINESE_PUNCTUATION)


def segments(text: str) -> list[str]:
    """Chinese characters one by one, and words between them, without the punctuation that does not count.

    CMRC 2018's script splits what is not Chinese with NLTK's `word_tokenize`: its rules for what occurs there.
    """
    runs = RUN.findall(_without_chinese_punctuation(text))
    return [word for run in runs for word in ENDING.sub(r" \1", ALONE.sub(r" \g<0> ", run)).split()]


def longest_run(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest run that both hold (longest common substring)."""
    best, before = 0, [0] * (len(other) + 1)
    for left in one:
        row = [0] * (len(other) + 1)
        for place, right in enumerate(other):
            if left == right:
                row[place + 1] = before[place] + 1
        best, before = max(best, *row), row
    return best
