"""The test rows by when they came: with the data that the champion was made from, or since."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.evaluation.answers import answers_of
from tunegate.evaluation.findings import Findings
from tunegate.gate.sliced import right_rows
from tunegate.records import read_table
from tunegate.task import AnswerPart

NEW = "new_since_champion"  # of rows.parquet; not there where the champion's data is not known


@dataclass(frozen=True)
class Arrived:
    """rows.parquet, which of its rows are new, whether the candidate is right, and how sure it was ([n] each)."""

    rows: pa.Table
    new: NDArray[np.bool_]
    right: NDArray[np.bool_]
    confidence: NDArray[np.float64]


def read_arrived(folder: Path, findings: Findings, answering: AnswerPart) -> Arrived | None:
    """From evaluate's folder; None where nothing says which rows are new."""
    rows = read_table(folder / "rows.parquet")
    if NEW not in rows.column_names:
        return None
    answers = answers_of(folder / "answers.parquet", findings.served, rows["id"].to_pylist())
    return Arrived(
        rows=rows,
        new=np.asarray(rows[NEW].combine_chunks()),
        right=right_rows(read_table(folder / "counts.parquet"), findings.served, len(rows)),
        confidence=answering.confidence(answers),
    )
