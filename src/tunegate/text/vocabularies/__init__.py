"""Vocabularies made of a person's own texts: the same texts and settings give the same tokenizer, byte for byte.

Literals of special tokens are text, while a vocabulary is made as when it is used. Nothing here knows models.
"""

from collections.abc import Callable, Iterable
from typing import Any

from tunegate.text.vocabularies.unigram import unigram
from tunegate.text.vocabularies.wordpiece import characters, wordpiece
from tunegate.vocabulary_settings import VocabularySettings

Texts = Callable[[], Iterable[str]]
"""The texts from the first on, as often as asked."""

KINDS: dict[str, Callable[[Texts, VocabularySettings], Any]] = {
    "wordpiece": wordpiece,
    "unigram": unigram,
    "characters": characters,
}


def vocabulary_of(texts: Texts, settings: VocabularySettings) -> Any:
    """A `tokenizers.Tokenizer`. Raises UserError where no text has a character, or `size` does not hold them all."""
    return KINDS[settings.kind](texts, settings)
