"""A tokenizer that reads words of a person's own as one token each, and of which old pieces those are made."""

import re
from collections.abc import Sequence
from pathlib import Path

from tunegate.errors import UserError
from tunegate.task import TextTokenizer
from tunegate.text.tokens import load_tokenizer
from tunegate.text.words import UNSPACED


def extended(folder: Path, words: Sequence[str]) -> tuple[TextTokenizer, list[list[int]]]:
    """The folder's tokenizer with new tokens after its own, and the old ones' numbers for each.

    A word that is one token already adds none. Raises UserError for a word that the tokenizer makes nothing of, or the
    same of as of another.
    """
    from tokenizers import AddedToken

    before, after = load_tokenizer(folder), load_tokenizer(folder)
    made_of: list[list[int]] = []
    for word in words:
        pieces = pieces_of(before, word)
        if len(pieces) == 1 and pieces[0] != before.unknown_id:
            continue
        if len(pieces_of(after, word)) == 1 and made_of:
            raise UserError(
                f"tokenize.extra_words: the tokenizer reads {word!r} as another word of the list.",
                "Take one of them out.",
            )
        # Matched on normalised text (lower-cased where the model is); a Chinese word has no blanks around it. Where
        # pieces carry the blank before them, it belongs to the word, or it would be left as a token of its own.
        whole = re.search(f"[{UNSPACED}]", word) is None
        after.tokenizer.add_tokens(
            [AddedToken(word, normalized=True, single_word=whole, lstrip=_carries_blanks(after))]
        )
        made_of.append([piece for piece in pieces if piece != before.unknown_id])
    return after, made_of


def _carries_blanks(tokenizer: TextTokenizer) -> bool:
    """SentencePiece's and byte-level tokenizers' pieces do."""
    return any(kind in str(tokenizer.tokenizer.pre_tokenizer) for kind in ("Metaspace", "ByteLevel"))


def pieces_of(tokenizer: TextTokenizer, word: str) -> list[int]:
    """The tokens that the word alone is read as, special ones left out."""
    return list(tokenizer.tokenizer.encode(word, add_special_tokens=False).ids)
