"""A tokenizer.json made from a WordPiece vocab.txt, for models older than that file.

Built with `tokenizers` alone: transformers 5 takes `vocab=`, silently swallows `vocab_file=`, and then reads every
word as unknown.
"""

from pathlib import Path
from typing import Any

from tunegate.errors import UserError
from tunegate.text.vocabularies.wordpiece import MARKS, bert_tokenizer


def tokenizer_from_vocabulary(vocabulary_file: Path, settings: dict[str, object]) -> Any:
    """A BERT tokenizer; `settings` are those of tokenizer_config.json.

    Without a `do_lower_case` there, a vocabulary with capital letters means that case was kept.
    Raises UserError when the file is no such vocabulary.
    """
    from tokenizers import normalizers

    pieces = read_vocabulary(vocabulary_file)
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    missing = [mark for mark in MARKS if mark not in vocabulary]
    if missing or len(vocabulary) != len(pieces):
        raise UserError(
            f"{vocabulary_file} is no WordPiece vocabulary: "
            + (f"it lacks {', '.join(missing)}." if missing else "it names a piece twice."),
            "Bring the tokenizer as tokenizer.json: AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER).",
        )
    lower = settings.get("do_lower_case", not any(_has_capital(piece) for piece in vocabulary))
    strip_accents = settings.get("strip_accents")  # null there: as lower-casing has it
    normalizer = normalizers.BertNormalizer(
        lowercase=bool(lower),
        handle_chinese_chars=bool(settings.get("tokenize_chinese_chars", True)),
        strip_accents=None if strip_accents is None else bool(strip_accents),
    )
    return bert_tokenizer(vocabulary, normalizer)


def read_vocabulary(vocabulary_file: Path) -> list[str]:
    """Its pieces by id. Lines end at line feeds alone: U+2028 and U+0085 are pieces of published vocabularies.

    Raises UserError.
    """
    try:
        text = vocabulary_file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{vocabulary_file} is not UTF-8 text: {error}.", "Bring the file again.") from error
    return [piece.strip(" \t\r") for piece in text.removesuffix("\n").split("\n")]


def _has_capital(piece: str) -> bool:
    return not piece.startswith("[") and any(letter.isupper() for letter in piece)
