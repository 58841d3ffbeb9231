"""Two versions compared: differences with intervals, labels, flipped rows page by page, settings, and a question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from tunegate.review.asking import AskField, ask_fields
from tunegate.review.charts.intervals import Interval, interval
from tunegate.review.charts.matrix import flow
from tunegate.review.flips import KINDS, Compared, MetricPair, compared
from tunegate.review.language import Language
from tunegate.review.paging import Paged, paged
from tunegate.review.snapshots import Snapshot
from tunegate.review.views.lineage import settings_of

ROWS = 50
FLOWS = 12  # bands that can still be told apart


@dataclass(frozen=True)
class Filter:
    """Which flipped rows to show."""

    kind: str = ""
    label: str = ""
    search: str = ""
    page: int = 1

    @property
    def query(self) -> Mapping[str, str]:
        """As an address carries it; the page stands apart."""
        return {"kind": self.kind, "label": self.label, "search": self.search}


@dataclass(frozen=True)
class Setting:
    name: str
    before: str
    after: str


@dataclass(frozen=True)
class CompareView:
    template: ClassVar[str] = "compare.html"
    kinds: ClassVar[Sequence[str]] = KINDS

    before: Snapshot
    after: Snapshot
    found: Compared
    metrics: Sequence[tuple[MetricPair, Markup]]
    flow: Markup | None
    flips: Paged[Mapping[str, Any]]
    filter: Filter
    settings: Sequence[Setting]
    questions: Sequence[AskField]

    def title(self, language: Language) -> str:
        return language.say("compare.title", before=self.before.name, after=self.after.name)


def compare_view(before: Snapshot, after: Snapshot, language: Language, chosen: Filter) -> CompareView:
    """Raises what `flips.compared` raises."""
    found = compared(before, after)
    rows = found.chosen(chosen.kind, chosen.label, chosen.search)
    return CompareView(
        before=before,
        after=after,
        found=found,
        metrics=[(pair, _picture(pair, language)) for pair in found.metrics],
        flow=_flow(found, language),
        flips=paged(rows, chosen.page, ROWS),
        filter=chosen,
        settings=_settings(before, after),
        questions=ask_fields(found.record, found.payload, found.texts),
    )


def _picture(pair: MetricPair, language: Language) -> Markup:
    gain = pair.difference
    state = "pass" if gain.low > 0 else "fail" if gain.high < 0 else "plain"
    told = language.say("chart.interval", low=f"{gain.low:+.3f}", high=f"{gain.high:+.3f}")
    shown = Interval(gain.value, gain.low, gain.high, 0.0, state)
    return interval(shown, language.say("chart.difference", name=pair.name), told)


def _flow(found: Compared, language: Language) -> Markup | None:
    """The most frequent ways in which answers moved."""
    table = found.flips.select(["before", "after"])
    if not len(table):
        return None
    counted = table.group_by(["before", "after"]).aggregate([([], "count_all")]).sort_by([("count_all", "descending")])
    moves = {(row["before"], row["after"]): row["count_all"] for row in counted.slice(0, FLOWS).to_pylist()}
    words = (language.say("chart.flow"), language.say("chart.flow.told", rows=len(table)))
    return flow(moves, words, (language.say("compare.before"), language.say("compare.after")))


def _settings(before: Snapshot, after: Snapshot) -> list[Setting]:
    old, new = dict(settings_of(before)), dict(settings_of(after))
    old |= _beside(before)
    new |= _beside(after)
    names = [*old, *(name for name in new if name not in old)]
    return [Setting(name, old.get(name, "–"), new.get(name, "–")) for name in names if old.get(name) != new.get(name)]


def _beside(side: Snapshot) -> dict[str, str]:
    """What decides results beside the settings: libraries, the base model, the data, as far as they are on record."""
    inputs = side.inputs()
    if inputs is None:
        return {}
    base = inputs.base_model
    found = {f"environment.{name}": version for name, version in inputs.environment.items()}
    found["base_model"] = f"{base.name} {base.source} {base.commit or ''}".strip() if base else "–"
    data = f"data/raw/{inputs.params.get('data', '')}"
    return found | {"data": f"{data} {side.hashes().get(data, '')[:12]}".strip()}
