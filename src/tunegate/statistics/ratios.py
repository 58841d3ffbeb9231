"""Metrics that are one summed count over another."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def ratio(above: Floats, below: Floats) -> Floats:
    """Elementwise, [r]; nan where there is nothing below."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


def share(sums: Mapping[str, Floats], above: str, below: str) -> Floats:
    """Of two counts by their keys, [r]; a key that never occurs is 0. `sums` holds `n`."""
    zero = np.zeros_like(sums["n"])
    return ratio(sums.get(above, zero), sums.get(below, zero))
