"""Rows to repair or relabel, and what a set of changes would do before it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from tunegate.data_versions.adding import Place, Proposal
from tunegate.data_versions.diff import KINDS, Change
from tunegate.review.language import Language
from tunegate.review.paging import Paged, paged
from tunegate.review.repairs import Mendable, labels_of, mendable, quarantined, suspects_of, suspicious, task_of
from tunegate.review.site import Site
from tunegate.review.snapshots import NOW

ROWS = 20  # forms on a page


@dataclass(frozen=True)
class RowsView:
    template: ClassVar[str] = "rows.html"

    pipeline: str
    data: str
    rows: Sequence[Mendable]
    paged: Paged[Mapping[str, object]]
    rules: Sequence[str]
    rule: str
    which: str = "quarantined"

    def title(self, language: Language) -> str:
        return language.say("rows.title", name=self.pipeline)


@dataclass(frozen=True)
class ProposalView:
    """`edits` go along in the form, so that the server keeps nothing between the two pages."""

    template: ClassVar[str] = "proposal.html"
    kinds: ClassVar[Sequence[str]] = KINDS

    pipeline: str
    data: str
    proposal: Proposal
    changes: Sequence[Change]
    edits: Mapping[Place, Mapping[str, str] | None]
    who: str

    def title(self, language: Language) -> str:
        return language.say("rows.will_be")


def rows_view(site: Site, pipeline: str, rule: str, page: int) -> RowsView:
    """Rows in quarantine. Raises NotThereError before the first run."""
    workspace, name = site.workspace, site.check(pipeline)
    table = quarantined(workspace, name)
    rules = sorted(set(table["rule"].to_pylist()))
    shown = paged(quarantined(workspace, name, rule) if rule else table, page, ROWS)
    task, labels = task_of(workspace, name), labels_of(workspace, name)
    rows = [mendable(row, task, labels) for row in shown.rows]
    return RowsView(name, site.pipelines()[name].data, rows, shown, rules, rule)


def suspects_view(site: Site, pipeline: str, page: int) -> RowsView:
    """Rows with a suspect label. Raises NotThereError, and UserError for a task without one label per row."""
    workspace, name = site.workspace, site.check(pipeline)
    found, labels = suspects_of(site.snapshot(name, NOW)), labels_of(workspace, name)
    pages = max(1, -(-len(found) // ROWS))
    number = min(page, pages)
    start = (number - 1) * ROWS
    rows = [suspicious(suspect, labels) for suspect in found[start : start + ROWS]]
    shown: Paged[Mapping[str, object]] = Paged((), number, pages, len(found), start + 1)
    return RowsView(name, site.pipelines()[name].data, rows, shown, (), "", which="suspects")
