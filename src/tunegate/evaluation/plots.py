"""Data of plots as CSV, for `dvc plots` (Vega-Lite) and for the report's own drawings."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from tunegate.statistics.calibration import Reliability


@dataclass(frozen=True)
class Confusion:
    """`rows[t][a]`: rows whose label is `labels[t]` and whose answer is `labels[a]`."""

    labels: list[str]
    rows: list[list[int]]

    @classmethod
    def of(cls, truth: Sequence[Any], decided: Sequence[str], labels: list[str]) -> "Confusion | None":
        """None where a record has no single label (spans, tags): there is nothing to cross."""
        if not all(isinstance(label, str) for label in truth):
            return None
        counted = Counter(zip(truth, decided, strict=True))
        return cls(labels, [[counted[actual, answered] for answered in labels] for actual in labels])

    @property
    def most(self) -> int:
        return max((max(row) for row in self.rows), default=0) or 1


def confusion_csv(truth: Sequence[str], decided: Sequence[str]) -> str:
    """A line per row, as the template `confusion` of DVC counts them (`-x actual -y predicted`)."""
    return _csv(("actual", "predicted"), zip(truth, decided, strict=True))


def reliability_csv(table: Reliability) -> str:
    """A line per bin that holds rows: mean confidence, share of right decisions, rows."""
    lines = zip(table.confidence, table.accuracy, table.rows, strict=True)
    return _csv(
        ("confidence", "accuracy", "rows"), ((f"{c:.6f}", f"{a:.6f}", int(rows)) for c, a, rows in lines if rows)
    )


def _csv(header: Sequence[str], lines: Any) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()
