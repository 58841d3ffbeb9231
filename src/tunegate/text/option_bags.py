"""Options as bags of words: what a cheap ranker knows of each option of a question."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.text.bags import new_vectoriser
from tunegate.text.options import beside


def option_bags(train: pa.Table, test: pa.Table) -> tuple[Any, Any]:
    """Sparse [options of all rows, features]: TF-IDF of the option (in its blank, where there is one), how much its
    words are those of question and context (cosine), and the logarithm of its length."""
    known, asked = _pairs(train), _pairs(test)
    words = new_vectoriser().fit([text for pair in known for text in pair if text])
    return _features(known, words), _features(asked, words)


def differences(features: Any, sizes: NDArray[np.int64], right: NDArray[np.int64]) -> tuple[Any, NDArray[np.int64]]:
    """Right option minus each wrong one of its row, every second pair turned round: [pairs, features] and 1 or 0."""
    firsts = np.cumsum(sizes) - sizes
    row = np.repeat(np.arange(len(sizes)), sizes)
    wrong = np.flatnonzero(np.arange(len(row)) != (firsts + right)[row])
    better = (firsts + right)[row[wrong]]
    turned = np.arange(len(wrong)) % 2 == 1
    first, second = np.where(turned, wrong, better), np.where(turned, better, wrong)
    return features[first] - features[second], (~turned).astype(np.int64)


def _pairs(records: pa.Table) -> list[tuple[str, str]]:
    """Per option what is asked, and the option as the model reads it."""
    rows = records.select([name for name in ("question", "context", "options") if name in records.column_names])
    found = []
    for row in rows.to_pylist():
        for option in row["options"]:
            first, second = beside(row.get("question"), row.get("context"), option)
            found.append(("", first) if second is None else (first, second))
    return found


def _features(pairs: list[tuple[str, str]], words: Any) -> Any:
    from scipy.sparse import csr_array, hstack

    asked, options = (words.transform(side) for side in zip(*pairs, strict=True))
    alike = csr_array(asked.multiply(options).sum(axis=1).reshape(-1, 1))
    lengths = csr_array(np.log1p([[len(option)] for _, option in pairs]))
    return csr_array(hstack([options, alike, lengths], "csr"))
