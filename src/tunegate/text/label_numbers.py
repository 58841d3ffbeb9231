"""Labels and their numbers, as a head's config and its targets have them: the place in the label file."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunegate.errors import UserError

NAMED = 5  # unknown labels that a message names


def label_config(labels: list[str]) -> dict[str, Any]:
    """What a model's config says of its labels."""
    return {
        "num_labels": len(labels),
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
    }


def label_numbers(names: pa.Array | pa.ChunkedArray, labels: list[str], called: str) -> NDArray[np.int64]:
    """Of label names [n], int64 [n]. `called`: what people call them, in the plural.

    Raises UserError for a name that the label file does not hold.
    """
    numbers = pc.index_in(names, value_set=pa.array(labels, pa.string()))
    if numbers.null_count:
        unknown = sorted(map(str, set(names.filter(pc.is_null(numbers)).to_pylist())))
        raise UserError(
            f"The rows hold {called} that the label file does not: {', '.join(unknown[:NAMED])}.",
            "Run the pipeline again; new labels join the file when a run starts.",
        )
    return np.asarray(numbers, dtype=np.int64)
