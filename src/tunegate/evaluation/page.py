"""The report on a model's scores as one self-contained HTML file: text escaped, no scripts, nothing fetched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tunegate.evaluation.findings import Findings
from tunegate.evaluation.plots import Confusion
from tunegate.statistics.calibration import Reliability

TEMPLATE = Path(__file__).with_name("page.html")


@dataclass(frozen=True)
class Page:
    """What the page shows."""

    LARGEST_MATRIX: ClassVar[int] = 100  # labels; a larger table helps nobody, and the CSV has it

    title: str
    findings: Findings
    confusion: Confusion | None
    reliability: Reliability
    mistakes: Sequence[Mapping[str, str]]  # cells of the surest wrong answers, surest first

    @property
    def shown_matrix(self) -> Confusion | None:
        return self.confusion if self.confusion and len(self.confusion.labels) <= self.LARGEST_MATRIX else None

    @property
    def dots(self) -> list[tuple[float, float, float, int]]:
        """Confidence, accuracy, radius and rows of each bin that holds any."""
        table, most = self.reliability, max(1, int(self.reliability.rows.max()))
        return [
            (float(confidence), float(accuracy), 2 + 5 * (int(rows) / most) ** 0.5, int(rows))
            for confidence, accuracy, rows in zip(table.confidence, table.accuracy, table.rows, strict=True)
            if rows
        ]


def page(content: Page) -> str:
    """The whole file."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["number"] = _number
    environment.filters["signed"] = lambda value: f"{value:+.4f}"
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(page=content)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
