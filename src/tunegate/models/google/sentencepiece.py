"""A SentencePiece .model of the unigram kind as a fast tokenizer, as ALBERT uses it.

https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto; what is done to a text before it is
cut into pieces is that of google-research/albert's tokenization.py (quotes, accents, case).
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunegate.errors import UserError
from tunegate.models.bundles.damage import DamageError
from tunegate.models.bundles.wire import fields, inner, signed
from tunegate.text.vocabularies.unigram import MARKS, sentencepiece_tokenizer

_UNIGRAM = 1
_COMMA_PENALTY = 100.0  # so far below any score that "2," is cut as "2" and ",", which ALBERT does in a step of its own


@dataclass(frozen=True)
class SentencePiece:
    """`pieces` with their log probabilities, by id; `charsmap` is the compiled normalisation, maybe empty."""

    pieces: tuple[tuple[str, float], ...]
    charsmap: bytes


def read_sentencepiece(path: Path) -> SentencePiece:
    """Raises UserError when the file is damaged or no unigram model."""
    try:
        return _model(path.read_bytes())
    except (DamageError, UnicodeDecodeError, struct.error) as error:
        raise UserError(f"{path} is no SentencePiece model: {error}.", "Bring the .model file again.") from error


def tokenizer_from_sentencepiece(path: Path, *, lower: bool) -> Any:
    """A tokenizer with [CLS] and [SEP] around one text or two. Raises UserError."""
    from tokenizers import normalizers

    model = read_sentencepiece(path)
    ids = {piece: number for number, (piece, _) in enumerate(model.pieces)}
    missing = [mark for mark in MARKS if mark not in ids]
    if missing or len(ids) != len(model.pieces):
        problem = f"lacks {', '.join(missing)}" if missing else "names a piece twice"
        raise UserError(f"{path} {problem}.", "Bring the .model that was published with the checkpoint.")
    scores = [(piece, score - _COMMA_PENALTY * _ends_in_digit_and_comma(piece)) for piece, score in model.pieces]
    steps: list[Any] = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
    steps += [normalizers.NFKD(), normalizers.StripAccents()]
    steps += [normalizers.Lowercase()] if lower else []
    steps += [_compiled(path, model.charsmap)] if model.charsmap else []
    return sentencepiece_tokenizer(scores, normalizers.Sequence(steps))


def _compiled(path: Path, charsmap: bytes) -> Any:
    from tokenizers import normalizers

    try:
        return normalizers.Precompiled(charsmap)
    except Exception as error:  # tokenizers raises bare Exception
        raise UserError(
            f"{path}: its normalisation cannot be read: {error}.", "Bring the .model file again."
        ) from error


def _model(data: bytes) -> SentencePiece:
    pieces: list[tuple[str, float]] = []
    charsmap = b""
    for number, value in fields(data):
        if number == 1:
            pieces.append(_piece(inner(value)))
        elif number == 2:
            kind = next((signed(v) for n, v in fields(inner(value)) if n == 3), _UNIGRAM)
            if kind != _UNIGRAM:
                raise DamageError(f"it is of kind {kind}, not unigram (1), and ALBERT's are unigram")
        elif number == 3:
            charsmap = next((inner(v) for n, v in fields(inner(value)) if n == 2), b"")
    if not pieces:
        raise DamageError("it holds no pieces")
    return SentencePiece(tuple(pieces), charsmap)


def _piece(message: bytes) -> tuple[str, float]:
    text, score = "", 0.0
    for number, value in fields(message):
        if number == 1:
            text = inner(value).decode()
        elif number == 2:
            score = struct.unpack("<f", struct.pack("<I", signed(value)))[0]
    return text, score


def _ends_in_digit_and_comma(piece: str) -> bool:
    return len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit()
