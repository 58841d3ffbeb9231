"""Where right answers stand in their passage."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Answer = Mapping[str, Any]
"""`text`, and `start`: its first character's place in the passage, or None where the data does not say."""


def place_of(passage: str, answer: Answer) -> int | None:
    """Where the answer stands, which is where the data says; where it says nothing, the only place that there is."""
    text, start = str(answer["text"]), answer["start"]
    if start is None:
        places = places_of(passage, text, most=2)
        return places[0] if len(places) == 1 else None
    return start if start >= 0 and text.strip() and passage.startswith(text, start) else None


def places_of(passage: str, text: str, most: int = 3) -> list[int]:
    """The first places at which the text stands, overlapping ones too."""
    found: list[int] = []
    place = passage.find(text) if text.strip() else -1
    while place >= 0 and len(found) < most:
        found.append(place)
        place = passage.find(text, place + 1)
    return found


def span_to_learn(passage: str, answers: Sequence[Answer]) -> tuple[int, int] | None:
    """From where to where the answer stands that most people gave, the first of those; white space around it left out.

    None where none stands in the passage.
    """
    placed = [
        (place, place + len(str(one["text"]))) for one in answers if (place := place_of(passage, one)) is not None
    ]
    if not placed:
        return None
    (start, end), _ = Counter(placed).most_common(1)[0]
    return trimmed(passage, start, end)


def trimmed(passage: str, start: int, end: int) -> tuple[int, int]:
    """The span without the white space at its ends."""
    inside = passage[start:end]
    first = start + len(inside) - len(inside.lstrip())
    return first, first + len(inside.strip())
