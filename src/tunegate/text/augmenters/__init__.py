"""New texts from old ones: the table of operations, and how one product of one row is made.

A product depends on its row, the operation, its number and the seed alone, so that adding rows or operations changes
no other product.
"""

from dataclasses import dataclass
from random import Random

import xxhash

from tunegate.text.augmenters.operations import Operation, delete, insert, swap
from tunegate.text.augmenters.row_operations import RowOperation, shuffled
from tunegate.text.augmenters.synonyms import Synonyms
from tunegate.text.augmenters.units import Unit, split_units
from tunegate.text.augmenters.vocabulary import Vocabulary
from tunegate.text.chinese_words import Segment

OPERATIONS: dict[str, Operation] = {"insertion": insert, "swap": swap, "deletion": delete}
"""On one text of a row, whose answer stays as it is."""

REPLACEMENT = "replacement"
"""The operation that needs a person's synonyms."""

ROW_OPERATIONS: dict[str, RowOperation] = {"shuffle": RowOperation(("options", "answer"), shuffled)}
"""On a row as a whole, answer and all."""

NAMES = (*OPERATIONS, REPLACEMENT, *ROW_OPERATIONS)


@dataclass(frozen=True)
class Recipe:
    """What holds for all rows. `rate` is the share of a text's units that an operation touches (at least one);
    `segment` makes words of Chinese."""

    rate: float
    unit: Unit
    seed: int
    vocabulary: Vocabulary | None = None
    synonyms: Synonyms | None = None
    segment: Segment | None = None


def product_id(parent: str, operation: str, number: int) -> str:
    """`r17~swap1`: the first product of `r17` by swapping."""
    return f"{parent}~{operation}{number}"


def random_source(seed: int, parent: str, operation: str, number: int) -> Random:
    """The product's own random numbers."""
    key = f"{seed}\x1f{parent}\x1f{operation}\x1f{number}".encode()
    return Random(xxhash.xxh3_64_intdigest(key))


def changed_text(text: str, operation: str, recipe: Recipe, random: Random) -> str:
    """The text after the operation; itself where it has no units to change."""
    units = split_units(text, recipe.unit, recipe.segment)
    if not units.pieces:
        return text
    edits = max(1, round(recipe.rate * len(units.pieces)))
    if operation == REPLACEMENT and recipe.synonyms is not None:
        return recipe.synonyms.replaced(text, edits, random, recipe.segment)
    return str(OPERATIONS[operation](units, edits, random, recipe.vocabulary))
