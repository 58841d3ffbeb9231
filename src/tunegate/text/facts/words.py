"""How often each word occurs, so that two versions of the data can be compared by their vocabulary."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

NOT_WORDS = r"[\pP\pS\pC]+"
UNSPACED = r"([\p{Han}\p{Hiragana}\p{Katakana}])"  # written without spaces: each character counts as a word


def count_words(texts: pa.Array) -> Counter[str]:
    """Lower case, without punctuation; Chinese and Japanese by characters."""
    plain = pc.replace_substring_regex(pc.utf8_lower(texts.drop_null()), NOT_WORDS, " ")
    if not pc.all(pc.string_is_ascii(plain)).as_py():
        plain = pc.replace_substring_regex(plain, UNSPACED, r" \1 ")
    counted = pc.value_counts(pc.utf8_split_whitespace(pc.utf8_trim_whitespace(plain)).flatten())
    words, counts = counted.flatten()
    found = Counter(dict(zip(words.to_pylist(), counts.to_pylist(), strict=True)))
    del found[""]  # an empty text splits into one empty word
    return found


def most_frequent(words: Counter[str], size: int) -> dict[str, int]:
    """The most frequent words; of equally frequent ones the alphabetically first, so that the result is one."""
    return dict(sorted(words.items(), key=lambda item: (-item[1], item[0]))[:size])
