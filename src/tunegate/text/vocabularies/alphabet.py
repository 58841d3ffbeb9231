"""Which characters a vocabulary knows: those that its texts are made of once they are normalised."""

from collections import Counter
from collections.abc import Iterable, Mapping

from tunegate.errors import UserError


def known_characters(counts: Mapping[str, int], coverage: float) -> list[str]:
    """The commonest that together make up at least that share of the text, by code point. Raises UserError."""
    total = sum(counts.values())
    if not total:
        raise UserError("There is no text to make a vocabulary of.", "Give rows with text in them.")
    kept, seen = [], 0
    for character, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if seen >= coverage * total:
            break
        kept.append(character)
        seen += count
    return sorted(kept)


def character_counts(texts: Iterable[str]) -> Counter[str]:
    """White space aside."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    return Counter({character: count for character, count in counts.items() if not character.isspace()})


def check_size(needed: int, size: int, characters: int) -> None:
    """Raises UserError where the characters alone take more tokens than there may be."""
    if needed > size:
        raise UserError(
            f"The texts have {characters:,} different characters, which with special tokens take {needed:,} tokens, "
            f"and size is {size:,}.",
            f"Raise size to {needed:,} or more, or leave the rarest characters unknown (coverage: 0.9995).",
        )
