"""Was it the data or the model? Both versions' models on both versions' test rows, and flips by change of data."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from typing import ClassVar

from markupsafe import Markup

from tunegate.data_versions.attribution import ANY, Attribution, Flipped, Flips, attribute, models_of
from tunegate.data_versions.diff import data_diff
from tunegate.progress import Progress
from tunegate.review.charts.intervals import Interval, interval
from tunegate.review.language import Language
from tunegate.review.snapshots import Snapshot
from tunegate.review.views.diff import raw_version

MOST_ROWS = 100  # of one kind that are named; `tunegate data diff --models --json` has all
NAMED = {ANY: "word.all", "same": "diff.unchanged"}
_scoring = threading.Lock()


@dataclass(frozen=True)
class AttributionView:
    template: ClassVar[str] = "attribution.html"

    before: Snapshot
    after: Snapshot
    found: Attribution
    picture: Markup | None

    @property
    def kinds(self) -> Iterator[tuple[str, Flips]]:
        """The sentence that names a kind of change, and its flips; all together first."""
        return ((NAMED.get(one.kind, f"diff.{one.kind}"), one) for one in self.found.flips)

    def flipped(self, kind: str) -> list[Flipped]:
        """Rows of one kind: those that broke first."""
        rows = [row for row in self.found.flipped if row.kind == kind]
        return sorted(rows, key=lambda row: row.fixed)[:MOST_ROWS]

    def title(self, language: Language) -> str:
        return language.say("attribution.title")


def attribution_view(before: Snapshot, after: Snapshot, language: Language) -> AttributionView:
    """Raises UserError or OutsideError where a model or raw data of one cannot be had, or there is no single label."""
    states = tuple(f"{side.state('export')} {raw_version(side).fingerprint}" for side in (before, after))
    with _scoring:  # whoever asks meanwhile waits for the same answer
        found = _attributed(before, after, states)
    return AttributionView(before, after, found, _picture(found, language))


@lru_cache(maxsize=8)
def _attributed(before: Snapshot, after: Snapshot, _states: tuple[str, ...]) -> Attribution:
    versions = raw_version(before), raw_version(after)
    diff = data_diff(after.workspace, *versions, Progress("data diff", StringIO()))
    return attribute(diff, versions[1].task, *models_of(after.workspace, versions))


def _picture(found: Attribution, language: Language) -> Markup | None:
    """The models' difference on the new version's test rows, against none."""
    if found.model is None:
        return None
    value, low, high = found.model
    state = "pass" if low > 0 else "fail" if high < 0 else "plain"
    told = language.say("chart.interval", low=f"{low:+.3f}", high=f"{high:+.3f}")
    return interval(Interval(value, low, high, 0.0, state), language.say("attribution.model"), told)
