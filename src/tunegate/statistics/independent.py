"""The difference of two shares of different rows. Numbers only."""

from dataclasses import dataclass
from math import hypot

from tunegate.statistics.proportions import ONE_SIDED, wilson


@dataclass(frozen=True)
class Share:
    """`right` of `rows` rows, at least one row."""

    right: int
    rows: int

    @property
    def value(self) -> float:
        return self.right / self.rows


def difference(first: Share, second: Share, *, error: float = ONE_SIDED) -> tuple[float, float]:
    """One-sided lower and upper bounds of the first share minus the second, each at `error`.

    The hybrid score interval (Newcombe 1998, Statistics in Medicine 17, 873-890, method 10): from Wilson's interval
    of either share, so that it holds with few rows and with shares of 0 and 1.
    """
    gap = first.value - second.value
    low_1, high_1 = wilson(first.right, first.rows, error=2 * error)
    low_2, high_2 = wilson(second.right, second.rows, error=2 * error)
    return gap - hypot(first.value - low_1, high_2 - second.value), gap + hypot(
        high_1 - first.value, second.value - low_2
    )
