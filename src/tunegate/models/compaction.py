"""The embedding table cut down to the tokens that occur, while a model is trained.

Of 30,000 rows a data set uses a few thousand, yet every step fills, clips and updates the gradient of each. Rows that
never occur get no gradient: they are put back as they were (and so without the weight decay of rows in use).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@contextmanager
def compacted(model: "PreTrainedModel", occurs: NDArray[np.bool_]) -> Iterator[NDArray[np.int64]]:
    """Inside, the table holds the tokens of which `occurs` [vocabulary] is true; yields old token id to new.

    Where output weights are tied to the table, every token is in use: nothing is cut.
    """
    from torch import nn

    untyped: Any = model
    whole: Any = model.get_input_embeddings()
    kept = _kept(occurs, whole)
    if untyped.get_output_embeddings() is not None or len(kept) == whole.num_embeddings:
        yield np.arange(whole.num_embeddings)
        return
    rows = _as_index(kept, whole)
    small = nn.Embedding(len(kept), whole.embedding_dim, whole.padding_idx, _weight=whole.weight.data[rows])
    model.set_input_embeddings(small)
    table = np.zeros(whole.num_embeddings, dtype=np.int64)
    table[kept] = np.arange(len(kept))
    try:
        yield table
    finally:
        whole.weight.data[rows] = small.weight.data
        model.set_input_embeddings(whole)


def _kept(occurs: NDArray[np.bool_], whole: Any) -> NDArray[np.int64]:
    """The padding token keeps its number, which RoBERTa's family looks for among the ids: none below it goes."""
    needed = np.zeros(whole.num_embeddings, dtype=bool)
    needed[: len(occurs)] = occurs
    needed[: (whole.padding_idx or 0) + 1] = True
    return np.flatnonzero(needed)


def _as_index(kept: NDArray[np.int64], whole: Any) -> Any:
    import torch

    return torch.from_numpy(kept).to(whole.weight.device)
