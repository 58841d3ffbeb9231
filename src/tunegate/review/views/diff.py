"""Two data versions: rows added, removed, edited, relabelled, moved; label flows; shifts with tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import ClassVar, get_args

from markupsafe import Markup

from tunegate.data_versions.diff import KINDS, Change, DataDiff, Kind, data_diff
from tunegate.data_versions.naming import REVISION, DataVersion, find_version, settings_of
from tunegate.progress import Progress
from tunegate.review.charts.matrix import flow
from tunegate.review.language import Language
from tunegate.review.paging import Paged
from tunegate.review.snapshots import Snapshot

ROWS = 50
FLOWS = 15
RECORD_FIELDS = ("text", "text_b", "label", "split")  # of a row, before and after


@dataclass(frozen=True)
class DiffView:
    template: ClassVar[str] = "diff.html"
    kinds: ClassVar[Sequence[str]] = KINDS

    before: Snapshot
    after: Snapshot
    found: DataDiff
    flow: Markup | None
    rows: Paged[Change]
    kind: str

    def title(self, language: Language) -> str:
        return language.say("diff.title", before=self.before.name, after=self.after.name)


def diff_view(before: Snapshot, after: Snapshot, language: Language, kind: str = "", page: int = 1) -> DiffView:
    """Raises UserError or OutsideError where the raw data of one cannot be had."""
    progress = Progress("data diff", StringIO())
    workspace = after.workspace
    found = data_diff(workspace, raw_version(before), raw_version(after), progress)
    wanted: Kind | None = kind if kind in get_args(Kind) else None  # type: ignore[assignment]
    total = found.count(wanted)
    pages = max(1, -(-total // ROWS))
    number = min(max(1, page), pages)
    changes = found.rows(wanted, offset=(number - 1) * ROWS, limit=ROWS)
    return DiffView(
        before=before,
        after=after,
        found=found,
        flow=_flow(found, language),
        rows=Paged(changes, number, pages, total, (number - 1) * ROWS + 1),
        kind=wanted or "",
    )


def raw_version(snapshot: Snapshot) -> DataVersion:
    """The raw data as the snapshot's commit tracked it, or as it lies in the working tree.

    Raises UserError or OutsideError where it cannot be had.
    """
    if snapshot.commit is None:
        data = settings_of(snapshot.workspace, snapshot.pipeline).data
        return find_version(snapshot.workspace, data, snapshot.pipeline)
    return find_version(snapshot.workspace, f"{REVISION}{snapshot.commit}", snapshot.pipeline)


def _flow(found: DataDiff, language: Language) -> Markup | None:
    moves: Mapping[tuple[str, str], int] = {
        (each.before or "–", each.after or "–"): each.rows for each in found.flow[:FLOWS]
    }
    if not moves:
        return None
    words = (language.say("chart.label_flow"), language.say("chart.flow.told", rows=sum(moves.values())))
    return flow(moves, words, (language.say("compare.before"), language.say("compare.after")))
