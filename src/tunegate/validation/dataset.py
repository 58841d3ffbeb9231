"""Measures of the data set as a whole, each with its limits and what it says: what `DATA_CHECKS` are judged by."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunegate.params import ValidateSettings
from tunegate.records import SPLITS
from tunegate.statistics.drift import stability_index, stability_limit
from tunegate.validation.checks import Rules
from tunegate.validation.known import Known, Previous
from tunegate.validation.messages import percent, some

FREQUENT_WORDS = 100  # cells of the vocabulary's histogram; the other words share one
LENGTH_CELLS = 10  # tenths of the previous version's rows

Table = Mapping[str, Mapping[str, int]]
"""Label to split to rows."""


@dataclass(frozen=True)
class Measure:
    """`value` is None where there is nothing to measure; `what` says it for people."""

    value: float | None
    what: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Sizes:
    """Input rows (rejects included), rejects, and per rule the quarantined rows that count against the budget."""

    rows: int
    rejects: int
    by_rule: Mapping[str, int]

    @property
    def against_budget(self) -> int:
        return self.rejects + sum(self.by_rule.values())

    def worst(self) -> str:
        """The three rules that took most rows: `DUP_EXACT (20), ...`."""
        named = {**self.by_rule, "lines that could not be read": self.rejects}
        most = sorted((item for item in named.items() if item[1]), key=lambda item: -item[1])[:3]
        return ", ".join(f"{rule} ({number})" for rule, number in most)


def label_table(kept: pa.Table) -> dict[str, dict[str, int]]:
    """Rows per label and split, the label with the most rows first; a row with many labels counts for each."""
    if "labels" in kept.column_names:
        sets = kept["labels"].combine_chunks()
        split = kept["split"].combine_chunks().take(pc.list_parent_indices(sets))
        kept = pa.table({"label": sets.flatten(), "split": split})
    counted = kept.group_by(["label", "split"]).aggregate([([], "count_all")]).to_pylist()
    table: dict[str, dict[str, int]] = {}
    for row in counted:
        if row["label"] is not None:
            table.setdefault(row["label"], dict.fromkeys(SPLITS, 0))[row["split"]] = row["count_all"]
    return dict(sorted(table.items(), key=lambda item: (-sum(item[1].values()), item[0])))


def measures(kept: pa.Table, sizes: Sizes, words: Counter[str], rules: Rules) -> dict[str, Measure]:
    """By code of the check. `kept` are the facts of the rows that stay."""
    settings, known = rules.settings, rules.known
    table = label_table(kept)
    found = {**_amounts(kept, sizes, settings), **_splits(kept), **_labels(table, settings, known)}
    if "labels" in kept.column_names and table:
        found["CLASS_ONE"] = _one_set(kept)
    if known.previous is not None:
        found |= _drifts(kept, words, known.previous)
    return found


def _amounts(kept: pa.Table, sizes: Sizes, settings: ValidateSettings) -> dict[str, Measure]:
    rejected, quarantined = _share(sizes.rejects, sizes.rows), _share(sizes.against_budget, sizes.rows)
    return {
        "ROWS_MIN": Measure(
            len(kept), f"{len(kept)} rows are left, fewer than {settings.min_rows}", low=settings.min_rows
        ),
        "REJECT_SHARE": Measure(
            rejected,
            f"{sizes.rejects} of {sizes.rows} lines ({percent(rejected)}) could not be read, "
            f"more than the {percent(settings.budget)} of the budget",
            high=settings.budget,
        ),
        "QUARANTINE_SHARE": Measure(
            quarantined,
            f"{sizes.against_budget} of {sizes.rows} rows ({percent(quarantined)}) are quarantined, "
            f"more than the {percent(settings.budget)} of the budget, most of them by {sizes.worst()}",
            high=settings.budget,
        ),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _splits(kept: pa.Table) -> dict[str, Measure]:
    rows = {split: pc.sum(pc.equal(kept["split"], split)).as_py() or 0 for split in SPLITS}
    empty = [split for split in SPLITS if not rows[split]]
    ratio = rows["test"] / rows["train"] if rows["train"] else None
    return {
        "SPLIT_EMPTY": Measure(len(empty), f"no rows are left for {' and '.join(empty)}", high=0),
        "SPLIT_RATIO": Measure(
            ratio, f"there are more test rows ({rows['test']}) than training rows ({rows['train']})", high=1
        ),
    }


def _labels(table: Table, settings: ValidateSettings, known: Known) -> dict[str, Measure]:
    if not table:
        return {}
    train = {label: counts["train"] for label, counts in table.items()}
    least = settings.min_rows_per_label
    few = sorted(label for label, number in train.items() if number < least)
    untested = sorted(label for label, counts in table.items() if not counts["test"])
    ratio = max(train.values()) / max(min(train.values()), 1)
    expected = list(dict.fromkeys([*known.labels, *(settings.labels or ())]))
    new = sorted(set(table) - set(known.labels)) if known.labels else []
    lost = [label for label in expected if label not in table]
    of_all = f"of {len(table)} labels"
    trained = [label for label, number in train.items() if number]
    return {
        "CLASS_ONE": Measure(
            len(trained) or None,  # without any training rows SPLIT_EMPTY speaks
            f"the training rows hold only one label: {some(trained)}, so there is nothing to tell apart",
            low=2,
        ),
        "CLASS_MIN": Measure(
            min(train.values()), f"{len(few)} {of_all} have fewer than {least} training rows: {some(few)}", low=least
        ),
        "CLASS_UNTESTED": Measure(
            len(untested), f"{len(untested)} {of_all} have no test rows: {some(untested)}", high=0
        ),
        "CLASS_RATIO": Measure(
            ratio,
            f"the most frequent label has {ratio:.0f} times the training rows of the rarest",
            high=settings.max_label_ratio,
        ),
        "NEW_LABEL": Measure(len(new), f"{len(new)} {of_all} were not known before: {some(new)}", high=0),
        "LOST_LABEL": Measure(len(lost), f"{len(lost)} known labels have no rows: {some(lost)}", high=0),
    }


def _one_set(kept: pa.Table) -> Measure:
    """With sets of labels a single label can be told from its absence, but not a single set."""
    sets = pc.unique(kept.filter(pc.equal(kept["split"], "train"))["label"]).to_pylist()
    told = f"all training rows have the same labels: {some(sets)}, so there is nothing to tell apart"
    return Measure(len(sets) or None, told, low=2)


def _drifts(kept: pa.Table, words: Counter[str], before: Previous) -> dict[str, Measure]:
    found = {"EVAL_CHANGED": _evaluation_changed(kept, before.rows)}
    found["LABEL_DRIFT"] = _drift("shares of the labels", *_label_histograms(kept, before.rows))
    found["LENGTH_DRIFT"] = _drift("lengths of the texts", *_length_histograms(kept, before.rows))
    frequent = dict(list(before.words.items())[:FREQUENT_WORDS])
    old = [*frequent.values(), before.words_in_all - sum(frequent.values())]
    now = [words[word] for word in frequent]
    now.append(sum(words.values()) - sum(now))
    # Words of one row come together, so rows and not words are the independent units.
    found["VOCAB_DRIFT"] = _drift("frequencies of the words", old, now, (len(before.rows), len(kept)))
    return found


def _drift(what: str, before: list[int], now: list[int], sizes: tuple[int, int] | None = None) -> Measure:
    if not before:
        return Measure(None, f"the {what} cannot be compared")
    old, new = np.array(before, dtype=np.float64), np.array(now, dtype=np.float64)
    index = stability_index(old, new)
    limit = stability_limit(len(before), *(sizes or (sum(before), sum(now))))
    if not np.isfinite(limit):
        return Measure(None, f"the {what} cannot be compared")
    told = f"the {what} moved since the data version before (PSI {index:.2f}, limit {limit:.2f})"
    return Measure(index, told, high=limit)


def _evaluation_changed(kept: pa.Table, before: pa.Table) -> Measure:
    old, new = _test_rows(before), _test_rows(kept)
    gone, came = len(old - new), len(new - old)
    told = f"{gone} of {len(old)} test rows of the data version before are gone or have another label, {came} came"
    return Measure(gone + came, told, high=0)


def _test_rows(facts: pa.Table) -> set[tuple[int, str]]:
    rows = facts.filter(pc.equal(facts["split"], "test"))
    return set(zip(rows["text_key"].to_pylist(), rows["label"].to_pylist(), strict=True))


def _label_histograms(kept: pa.Table, before: pa.Table) -> tuple[list[int], list[int]]:
    old, new = _label_counts(before), _label_counts(kept)
    names = sorted(set(old) | set(new))
    return [old[name] for name in names], [new[name] for name in names]


def _label_counts(facts: pa.Table) -> Counter[str]:
    names, counts = pc.value_counts(facts["label"].combine_chunks().drop_null()).flatten()
    return Counter(dict(zip(names.to_pylist(), counts.to_pylist(), strict=True)))


def _length_histograms(kept: pa.Table, before: pa.Table) -> tuple[list[int], list[int]]:
    """Cells hold about a tenth of the rows before each, and what was shorter or longer than all of them its own."""
    old, new = (np.asarray(facts["n_chars"].drop_null().to_numpy()) for facts in (before, kept))
    if not len(old) or not len(new):
        return [], []
    tenths = np.quantile(old, np.arange(1, LENGTH_CELLS) / LENGTH_CELLS)
    edges = np.unique([old.min(), *tenths, old.max() + 1])
    old_cells, new_cells = (
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1) for values in (old, new)
    )
    return old_cells.tolist(), new_cells.tolist()
