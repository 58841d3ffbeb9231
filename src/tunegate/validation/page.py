"""The report on a data set as one HTML file that needs nothing else: text escaped, no scripts, nothing fetched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tunegate.validation.messages import Finding, percent

TEMPLATE = Path(__file__).with_name("page.html")


@dataclass(frozen=True)
class Page:
    """What the page shows."""

    SHOWN: ClassVar[int] = 200  # quarantined rows; all of them are in quarantine.parquet

    title: str
    rows: int
    quarantined: int
    kept: Mapping[str, int]
    by_rule: Mapping[str, int]
    reasons: Sequence[str]
    findings: Sequence[Finding]
    labels: Mapping[str, Mapping[str, int]]
    quarantine: Sequence[Mapping[str, Any]]

    @property
    def most_rows_of_a_label(self) -> int:
        return max((sum(counts.values()) for counts in self.labels.values()), default=1)


def page(content: Page) -> str:
    """The whole file."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["percent"] = percent
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(page=content)
