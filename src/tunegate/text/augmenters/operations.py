"""What is done to a text: random insertion, swap and deletion of its units (EDA, Wei and Zou 2019, section 2.1).

Pure: the same units, number of edits and random source give the same text. None of them changes what a text is
about, as long as few units are touched.
"""

from collections.abc import Callable
from random import Random

from tunegate.text.augmenters.units import Units
from tunegate.text.augmenters.vocabulary import Vocabulary

Operation = Callable[[Units, int, Random, Vocabulary | None], Units]


def insert(units: Units, edits: int, random: Random, vocabulary: Vocabulary | None) -> Units:
    """`edits` units of the text itself, or of the vocabulary where one is given, at random places."""
    own = units.pieces
    for _ in range(edits):
        share = random.random()
        piece = vocabulary.pick(share) if vocabulary else own[int(share * len(own))]
        units = units.inserted(random.randint(0, len(units.pieces)), piece)
    return units


def swap(units: Units, edits: int, random: Random, vocabulary: Vocabulary | None = None) -> Units:
    """`edits` times two neighbours exchanged."""
    for _ in range(edits if len(units.pieces) > 1 else 0):
        units = units.swapped(random.randrange(len(units.pieces) - 1))
    return units


def delete(units: Units, edits: int, random: Random, vocabulary: Vocabulary | None = None) -> Units:
    """`edits` units taken out; the last one stays."""
    for _ in range(min(edits, len(units.pieces) - 1)):
        units = units.without(random.randrange(len(units.pieces)))
    return units
