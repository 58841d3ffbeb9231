"""Texts as bags of words: what the cheap baselines of whole-text tasks know of a question."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tunegate.text.questions import second_texts

WORDS = r"(?u)[一-鿿]|\b\w\w+\b"  # Chinese by characters


def bags(train: pa.Table, test: pa.Table) -> tuple[Any, Any]:
    """TF-IDF of words and pairs of words, sparse [rows, features], learnt from the training rows.

    Of a pair both texts' words, each side its own features, and how much the sides' words are alike (their cosine).
    """
    if second_texts(train) is None:
        vectoriser = new_vectoriser().fit(_texts(train, "text"))
        return vectoriser.transform(_texts(train, "text")), vectoriser.transform(_texts(test, "text"))
    sides = {name: new_vectoriser().fit(_texts(train, name)) for name in ("text", "text_b")}
    both = new_vectoriser().fit(_texts(train, "text") + _texts(train, "text_b"))
    return _pairs(train, sides, both), _pairs(test, sides, both)


def _pairs(records: pa.Table, sides: dict[str, Any], both: Any) -> Any:
    from scipy.sparse import csr_array, hstack

    first, second = (both.transform(_texts(records, name)) for name in ("text", "text_b"))
    alike = csr_array(first.multiply(second).sum(axis=1).reshape(-1, 1))  # rows have length 1
    return hstack([*(vectoriser.transform(_texts(records, name)) for name, vectoriser in sides.items()), alike], "csr")


def new_vectoriser() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORDS)


def _texts(records: pa.Table, name: str) -> list[str]:
    if name not in records.column_names:
        return [""] * len(records)
    texts: list[str] = pc.fill_null(records[name], "").to_pylist()
    return texts
