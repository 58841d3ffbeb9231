"""What is known from before: the labels so far, and the previous data version as far as its facts tell."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunegate.records import read_table
from tunegate.text.facts.words import most_frequent

FORMAT = b"1"
FORMAT_KEY = b"tunegate.facts"
WORDS_KEY = b"tunegate.words"
WORDS_KEPT = 1_000
COLUMNS = ["split", "label", "n_chars", "text_key", "rule"]


@dataclass(frozen=True)
class Previous:
    """`rows`: the rows that were not quarantined, with `COLUMNS`; `words`: the most frequent ones with their counts."""

    rows: pa.Table
    words: Mapping[str, int]
    words_in_all: int


@dataclass(frozen=True)
class Known:
    """`labels` is the label file so far, in its order."""

    labels: tuple[str, ...] = ()
    previous: Previous | None = None

    def relabelled(self, keys: NDArray[np.uint64], labels: pa.ChunkedArray) -> NDArray[np.bool_]:
        """Rows whose text had another label in the previous data version."""
        if self.previous is None:
            return np.zeros(len(keys), dtype=bool)
        where = pc.index_in(pa.array(keys), value_set=self.previous.rows["text_key"].combine_chunks())
        before = self.previous.rows["label"].combine_chunks().take(where)
        changed = pc.fill_null(pc.not_equal(before, labels.combine_chunks()), False)
        return np.asarray(changed.to_numpy(zero_copy_only=False), dtype=bool)


def with_summary(facts: pa.Table, words: Counter[str]) -> pa.Table:
    """The facts with what the next version's comparison needs beside the rows."""
    kept = most_frequent(words, WORDS_KEPT)
    summary = json.dumps({"all": sum(words.values()), "words": kept}, ensure_ascii=False)
    return facts.replace_schema_metadata({FORMAT_KEY: FORMAT, WORDS_KEY: summary.encode()})


def read_previous(path: Path) -> Previous | None:
    """None when another version of this program wrote the facts in another format: there is nothing to compare then."""
    table = read_table(path)
    metadata = table.schema.metadata or {}
    if metadata.get(FORMAT_KEY) != FORMAT:
        return None
    summary = json.loads(metadata[WORDS_KEY])
    rows = table.select(COLUMNS).filter(pc.is_null(table["rule"]))
    return Previous(rows, summary["words"], int(summary["all"]))
