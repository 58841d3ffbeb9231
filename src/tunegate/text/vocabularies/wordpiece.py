"""Word pieces as BERT has them, and single characters in the same form: a word's first piece, then `##` and the rest.

The pieces are merged by frequency (Sennrich et al. 2016), as Hugging Face's trainer for WordPiece does. That trainer
numbers the pieces within words in whatever order its hash table has them; they are given to it in order here.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tunegate.text.vocabularies.alphabet import character_counts, check_size, known_characters
from tunegate.text.vocabularies.normalising import normalizer_of
from tunegate.vocabulary_settings import VocabularySettings

if TYPE_CHECKING:
    from tunegate.text.vocabularies import Texts

MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
UNKNOWN = "[UNK]"
WITHIN = "##"
TWICE = 2  # a piece stands for something that comes again


def wordpiece(texts: "Texts", settings: VocabularySettings) -> Any:
    """Raises UserError."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.trainers import WordPieceTrainer

    normalizer, known, letters = _read(texts, settings)
    training = Tokenizer(WordPiece(unk_token=UNKNOWN))
    training.pre_tokenizer = _pre_tokenizer()
    trainer = WordPieceTrainer(
        vocab_size=settings.size,
        min_frequency=TWICE,
        special_tokens=[*MARKS, *letters],
        continuing_subword_prefix=WITHIN,
        show_progress=False,
    )
    training.train_from_iterator(_normalised(texts, normalizer, set(known)), trainer)
    return bert_tokenizer(training.get_vocab(), normalizer)


def characters(texts: "Texts", settings: VocabularySettings) -> Any:
    """Raises UserError."""
    normalizer, _, letters = _read(texts, settings)
    return bert_tokenizer({piece: number for number, piece in enumerate([*MARKS, *letters])}, normalizer)


def bert_tokenizer(vocabulary: dict[str, int], normalizer: Any) -> Any:
    """With [CLS] and [SEP] around one text or two."""
    from tokenizers import Tokenizer, decoders, processors
    from tokenizers.models import WordPiece

    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = _pre_tokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))
    tokenizer.add_special_tokens(list(MARKS))
    return tokenizer


def _read(texts: "Texts", settings: VocabularySettings) -> tuple[Any, list[str], list[str]]:
    """The normaliser, the characters that are known, and the pieces that they take."""
    normalizer = normalizer_of(settings, part_chinese=settings.chinese_alone)
    known = known_characters(character_counts(normalizer.normalize_str(text) for text in texts()), settings.coverage)
    letters = _letters(known, normalizer)
    check_size(len(MARKS) + len(letters), settings.size, len(known))
    return normalizer, known, letters


def _pre_tokenizer() -> Any:
    from tokenizers import pre_tokenizers

    return pre_tokenizers.BertPreTokenizer()


def _letters(known: Sequence[str], normalizer: Any) -> list[str]:
    """A piece for each character where it begins a word, and one within words for those that words are made of."""
    within = [f"{WITHIN}{character}" for character in known if not _stands_alone(character, normalizer)]
    return [*known, *within]


def _stands_alone(character: str, normalizer: Any) -> bool:
    """Whether words end before and after it, as before Chinese characters and punctuation."""
    spelt = normalizer.normalize_str(f"a{character}a")
    return len(_pre_tokenizer().pre_tokenize_str(spelt)) > 1


def _normalised(texts: "Texts", normalizer: Any, known: set[str]) -> Iterator[str]:
    """What is not known parts words."""
    for text in texts():
        yield "".join(letter if letter in known else " " for letter in normalizer.normalize_str(text))
