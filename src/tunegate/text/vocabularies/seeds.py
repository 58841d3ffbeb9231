"""The pieces that a unigram model starts from: what comes again in the words, longest matches first."""

from collections import Counter
from collections.abc import Collection, Mapping

LONGEST = 16  # characters of a piece, as in SentencePiece


def seed_pieces(words: Mapping[str, int], most: int, banned: Collection[str]) -> dict[str, float]:
    """Every character, and the strings that stand for most text; each with how often it comes times its length.

    A string that is always followed by the same character says no more than the longer one, and is left out, as in the
    suffix arrays of SentencePiece (Kudo 2018, section 3.2).
    """
    level: Mapping[str, int] = _characters(words)
    found: dict[str, float] = {piece: float(count) for piece, count in level.items()}
    longer: list[tuple[float, str]] = []
    for length in range(2, LONGEST + 1):
        above = _next(words, level, length)
        whole = {piece[:-1] for piece, count in above.items() if count == level.get(piece[:-1])}
        longer += [(-count * len(piece), piece) for piece, count in level.items() if _counts(piece, whole, banned)]
        level = above
        if not level:
            break
    longer += [(-count * len(piece), piece) for piece, count in level.items() if _counts(piece, (), banned)]
    found.update((piece, -score) for score, piece in sorted(longer)[: max(0, most - len(found))])
    return found


def _counts(piece: str, whole: Collection[str], banned: Collection[str]) -> bool:
    return len(piece) > 1 and piece not in whole and piece not in banned


def _characters(words: Mapping[str, int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for word, number in words.items():
        for character in word:
            counts[character] += number
    return counts


def _next(words: Mapping[str, int], shorter: Mapping[str, int], length: int) -> dict[str, int]:
    """Strings of that length that come twice; both of their shorter halves do."""
    counts: dict[str, int] = {}
    for word, number in words.items():
        for start in range(len(word) - length + 1):
            piece = word[start : start + length]
            if piece[:-1] in shorter and piece[1:] in shorter:
                counts[piece] = counts.get(piece, 0) + number
    return {piece: count for piece, count in counts.items() if count > 1}
