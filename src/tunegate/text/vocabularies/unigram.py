"""A unigram vocabulary in SentencePiece's form: `▁` begins a word, and the likeliest way to cut a word is taken.

Pieces cross neither the ends of words nor from letters to digits, marks or Chinese characters.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tunegate.text.vocabularies.alphabet import check_size, known_characters
from tunegate.text.vocabularies.em import fitted
from tunegate.text.vocabularies.normalising import normalizer_of
from tunegate.text.vocabularies.seeds import seed_pieces
from tunegate.text.words import UNSPACED, WORD_MARK
from tunegate.vocabulary_settings import VocabularySettings

if TYPE_CHECKING:
    from tunegate.text.vocabularies import Texts

MARKS = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")  # in the order of ALBERT's
UNKNOWN = "<unk>"
SEEDS = 20  # times the size: more change little and take longer
CHARACTERS = 3_000_000  # of different words, the commonest first: memory holds all ways to cut them

LITERAL = r"[\[<](?=(?:CLS|SEP|MASK)\]|(?:pad|unk)>)"  # the first character of a special token that somebody typed

Pieces = Sequence[tuple[str, float]]


def unigram(texts: "Texts", settings: VocabularySettings) -> Any:
    """Raises UserError."""
    normalizer = normalizer_of(settings, part_chinese=False)
    words = _words(texts, normalizer)
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            letters[character] += count
    known = known_characters(letters, settings.coverage)
    check_size(len(MARKS) + len(known), settings.size, len(known))
    parts = _parts(words, set(known), alone=settings.chinese_alone)
    seeds = seed_pieces(parts, SEEDS * settings.size, MARKS)
    pieces = fitted(parts, seeds, settings.size - len(MARKS))
    return sentencepiece_tokenizer([*((mark, 0.0) for mark in MARKS), *pieces], normalizer)


def sentencepiece_tokenizer(pieces: Pieces, normalizer: Any) -> Any:
    """Pieces by number, MARKS among them; with [CLS] and [SEP] around one text or two.

    The model behind it would take a special token's literal for the token itself: it is cut before it comes there.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, pre_tokenizers, processors
    from tokenizers.models import Unigram

    ids = {piece: number for number, (piece, _) in enumerate(pieces)}
    tokenizer = Tokenizer(Unigram(list(pieces), unk_id=ids[UNKNOWN], byte_fallback=False))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [*_word_splits(), pre_tokenizers.Split(Regex(LITERAL), "isolated")]
    )
    tokenizer.decoder = decoders.Metaspace(replacement=WORD_MARK, prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(mark, ids[mark]) for mark in ("[CLS]", "[SEP]")],
    )
    tokenizer.add_special_tokens([AddedToken(mark, lstrip=mark == "[MASK]", normalized=False) for mark in MARKS])
    return tokenizer


def _word_splits() -> list[Any]:
    from tokenizers import pre_tokenizers

    marked = pre_tokenizers.Metaspace(replacement=WORD_MARK, prepend_scheme="always")
    return [pre_tokenizers.WhitespaceSplit(), marked]


def _words(texts: "Texts", normalizer: Any) -> Counter[str]:
    """How often each word comes, the mark of its beginning with it."""
    counts: Counter[str] = Counter()
    for text in texts():
        counts.update(normalizer.normalize_str(text).split())
    return Counter({f"{WORD_MARK}{word}": count for word, count in counts.items()})


def _parts(words: Mapping[str, int], known: set[str], *, alone: bool) -> dict[str, int]:
    """Words cut where no piece may go on, by string; what is not known is left out."""
    counts: Counter[str] = Counter()
    for word, number in words.items():
        for part in _cut(word, alone):
            for run, letters in groupby(part, known.__contains__):
                if run:
                    counts["".join(letters)] += number
    kept, characters = {}, 0
    for part, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if characters > CHARACTERS:
            break
        kept[part] = number
        characters += len(part)
    return dict(sorted(kept.items()))


def _cut(word: str, alone: bool) -> Iterator[str]:
    """Runs of letters, digits or Chinese characters (`alone`: one at a time), and every other sign; the word's mark
    stays with what it stands before, unless that is a Chinese character alone."""
    begun = word[: len(WORD_MARK)]
    for kind, letters in groupby(word[len(WORD_MARK) :], _kind):
        run = "".join(letters)
        if kind == "chinese" and alone and begun:
            yield begun
            begun = ""
        apart = kind == "other" or (kind == "chinese" and alone)
        for part in run if apart else [run]:
            yield f"{begun}{part}"
            begun = ""


def _kind(character: str) -> str:
    if _CHINESE.match(character):
        return "chinese"
    category = unicodedata.category(character)
    return "digits" if category == "Nd" else "letters" if category[0] in "LM" else "other"


_CHINESE = re.compile(f"[{UNSPACED}]")
