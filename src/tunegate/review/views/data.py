"""A data version: what validation said, its quarantine page by page, its distributions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from tunegate.errors import TunegateError
from tunegate.records import SPLITS, read_table
from tunegate.review.charts.bars import bars
from tunegate.review.history import comparable
from tunegate.review.language import Language
from tunegate.review.paging import Paged, paged
from tunegate.review.reports import ValidateSeen
from tunegate.review.snapshots import NotThereError, Snapshot
from tunegate.review.waiting_data import ReviewShown, review_of

ROWS = 50  # quarantined rows on a page
LABELS = 60  # drawn; the table has all
BINS = (0, 20, 50, 100, 200, 500, 1000, 5000)  # characters of a text


@dataclass(frozen=True)
class Spread:
    """How many rows have which label, length, script."""

    key: str
    picture: Markup
    rows: Sequence[tuple[str, Mapping[str, int]]]


@dataclass(frozen=True)
class DataView:
    template: ClassVar[str] = "data.html"

    snapshot: Snapshot
    report: ValidateSeen
    spreads: Sequence[Spread]
    quarantine: Paged[Mapping[str, Any]]
    rule: str
    missing: str
    others: Sequence[tuple[str, str]]  # states to compare with: name in addresses, name for people
    review: ReviewShown | None

    @property
    def splits(self) -> Sequence[str]:
        return SPLITS

    def title(self, language: Language) -> str:
        return language.say("data.title", name=self.snapshot.name)


def data_view(snapshot: Snapshot, language: Language, page: int = 1, rule: str = "") -> DataView:
    """`rule` keeps only the rows that it took out. Raises NotThereError where nothing was validated."""
    report = snapshot.report("validate", ValidateSeen)
    if report is None:
        raise NotThereError("validate has not reported here.", "Run the pipeline with `tunegate run`.")
    quarantine, facts, missing = pa.table({}), pa.table({}), ""
    try:
        folder = snapshot.folder("validate")
        quarantine = read_table(folder / "quarantine.parquet")
        facts = read_table(folder / "facts.parquet", ["split", "n_chars", "script", "rule"])
    except (TunegateError, pa.ArrowInvalid) as error:
        missing = str(error)
    if rule and len(quarantine):
        quarantine = quarantine.filter(pc.equal(quarantine["rule"], rule))
    return DataView(
        snapshot=snapshot,
        report=report,
        spreads=[_labels(report, language), *_lengths(facts, language)],
        quarantine=paged(quarantine, page, ROWS),
        rule=rule,
        missing=missing,
        others=[each for each in comparable(snapshot.workspace, snapshot.pipeline) if each[0] != snapshot.ref],
        review=review_of(snapshot, language),
    )


def _labels(report: ValidateSeen, language: Language) -> Spread:
    ordered = sorted(report.labels.items(), key=lambda entry: -sum(entry[1].values()))
    return _spread("labels", dict(ordered), language)


def _lengths(facts: pa.Table, language: Language) -> list[Spread]:
    """Of the rows that stayed."""
    if not len(facts):
        return []
    kept = facts.filter(pc.is_null(facts["rule"]))
    split = kept["split"].to_numpy(zero_copy_only=False)
    found = []
    numbers = np.searchsorted(BINS, kept["n_chars"].fill_null(0).to_numpy(), side="right") - 1
    names = [f"{low:,} – {high - 1:,}" for low, high in pairwise(BINS)] + [f"{BINS[-1]:,} +"]
    found.append(_spread("lengths", _crossed([names[number] for number in numbers], split, names), language))
    scripts = [str(script) for script in kept["script"].cast(pa.string()).to_pylist()]
    order = sorted(set(scripts), key=lambda script: -scripts.count(script))
    if len(order) > 1:
        found.append(_spread("scripts", _crossed(scripts, split, order), language))
    return found


def _crossed(values: Sequence[str], splits: Sequence[str], order: Sequence[str]) -> dict[str, dict[str, int]]:
    counted = {name: dict.fromkeys(SPLITS, 0) for name in order}
    for value, split in zip(values, splits, strict=True):
        counted[value][split] += 1
    return counted


def _spread(key: str, counted: Mapping[str, Mapping[str, int]], language: Language) -> Spread:
    words = (language.say(f"chart.{key}"), language.say("chart.spread.told", names=len(counted)))
    picture = bars(dict(list(counted.items())[:LABELS]), words, SPLITS)
    return Spread(key, picture, list(counted.items()))
