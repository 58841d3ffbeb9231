"""Parts of the rows: cut as people name them, tested for harm, and held to nothing that they cannot show."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.gate.evidence import labels, named
from tests.gate.versions import against, answered, rows, version
from tunegate.errors import UserError
from tunegate.evaluation.rivals import Rival
from tunegate.gate import combine, judge
from tunegate.gate.checks import Evidence
from tunegate.gate.notes import notes
from tunegate.gate.sliced import Slice
from tunegate.gate.words import slices_table

TRUTH = labels(2000)
KNOWN = sorted(set(TRUTH))
TIERS = ["gold" if row % 10 == 0 else "basic" for row in range(2000)]
RECORDS = rows(
    TRUTH, source=["web.csv" if row % 4 else "mail.csv" for row in range(2000)], tier=TIERS, age=list(range(2000))
)


def sliced(folder: Path, ours: Sequence[int], theirs: Sequence[int], **settings: Any) -> Evidence:
    champion = version("champion", RECORDS, answered(TRUTH, theirs), KNOWN)
    return against(folder, RECORDS, answered(TRUTH, ours), [champion], margin=0.02, **settings)


def by_name(found: Evidence) -> dict[str, Slice]:
    return {part.name: part for part in found.slices}


def of(tier: str, most: int) -> list[int]:
    return [row for row in range(2000) if TIERS[row] == tier][:most]


def test_a_model_that_is_worse_in_one_slice_only_fails_and_the_slice_is_named(tmp_path: Path) -> None:
    """20 of 200 gold rows are lost and 20 basic ones won: the whole is as good as before."""
    found = sliced(tmp_path, of("gold", 20), of("basic", 20), slices=["tier", "label"])
    checks = named(judge(found))
    assert checks["no regression"].verdict == "PASS"
    assert checks["slices"].verdict == "FAIL" and "tier=gold (200 rows: 20 broken, 0 fixed" in checks["slices"].reason
    assert "tier=gold" in checks["slices"].remedy and found.slices[0].name == "tier=gold"
    assert combine(list(checks.values())) == "FAIL"


def test_the_same_slice_of_an_equal_model_is_not_harmed(tmp_path: Path) -> None:
    gold = of("gold", 24)
    found = sliced(tmp_path, gold[:12], gold[12:], slices=["tier"])
    assert named(judge(found))["slices"].verdict == "PASS"
    assert by_name(found)["tier=gold"].difference is not None and by_name(found)["tier=gold"].adjusted > 0.05


def test_a_significant_loss_within_the_margin_harms_nobody(tmp_path: Path) -> None:
    """Of 1,800 basic rows 12 are lost, 0.7 points: surely worse, and less than the whole may lose."""
    basic = by_name(sliced(tmp_path, of("basic", 12), [], slices=["tier"]))["tier=basic"]
    assert basic.adjusted < 0.05 and basic.state == "fine"


def test_77_labels_of_40_rows_can_pass(tmp_path: Path) -> None:
    truth = labels(3080, kinds=77)
    records, known = rows(truth), sorted(set(truth))
    random = np.random.default_rng(0)
    wrong = [np.flatnonzero(random.random(3080) < 0.03).tolist() for _ in range(2)]
    champion = version("champion", records, answered(truth, wrong[1]), known)
    found = against(tmp_path, records, answered(truth, wrong[0]), [champion], margin=0.02)
    assert combine(judge(found)) == "PASS"
    parts = [part for part in found.slices if part.name.startswith("label=")]
    small = [part for part in parts if part.state == "too_small"]
    assert len(parts) == 77 and len(small) > 40 and all(part.more_rows for part in small)
    assert sum(note.name.startswith("label=") for note in notes(found)) == len(small)


def test_a_slice_too_small_to_decide_holds_the_verdict_only_if_it_is_critical(tmp_path: Path) -> None:
    filters = ["old: age >= 1980"]
    free = sliced(tmp_path, [], [], slices=filters)
    held = sliced(tmp_path, [], [], slices=filters, critical_slices=["old"])
    assert by_name(free)["old"].state == "too_small" and combine(judge(free)) == "PASS"
    check = named(judge(held))["slices"]
    assert check.verdict == "UNDECIDED" and combine(judge(held)) == "UNDECIDED"
    assert check.more_rows == by_name(held)["old"].more_rows and f"{check.more_rows:,} more rows of old" in check.remedy


def test_a_critical_slice_without_a_single_row_is_undecided(tmp_path: Path) -> None:
    found = sliced(tmp_path, [], [], slices=[], critical_slices=["label=refunds"])
    check = named(judge(found))["slices"]
    assert check.verdict == "UNDECIDED" and by_name(found)["label=refunds"].n == 0 and check.more_rows
    assert "| label=refunds | 0 |" in "\n".join(slices_table(found.slices))


@pytest.mark.parametrize("rivals", [[], [version("champion", RECORDS, TRUTH, KNOWN)]])
def test_a_critical_slice_without_a_row_is_undecided_also_where_nothing_is_compared(
    tmp_path: Path, rivals: list[Rival]
) -> None:
    own = [replace(rival, digest="candidate digest") for rival in rivals]
    found = against(tmp_path, RECORDS, TRUTH, own, slices=[], critical_slices=["label=refunds", "tier=gold"])
    check = named(judge(found))["slices"]
    assert found.sliced is None and check.verdict == "UNDECIDED" and "label=refunds (0 rows)" in check.reason
    known = against(tmp_path, RECORDS, TRUTH, own, slices=[], critical_slices=["tier=gold"])
    assert "slices" not in named(judge(known))


def test_a_critical_slice_need_not_be_among_the_slices(tmp_path: Path) -> None:
    found = sliced(tmp_path, [], [], slices=["source"], critical_slices=["tier=basic"])
    assert by_name(found)["tier=basic"].critical and by_name(found)["tier=basic"].state == "fine"
    assert "tier=gold" not in by_name(found)


def test_labels_lengths_sources_columns_and_filters_cut_the_rows(tmp_path: Path) -> None:
    wanted = ["label", "length", "source", "tier", "age", "gold mail: tier == gold", "new: age > 1899"]
    sizes = {part.name: part.n for part in sliced(tmp_path, [], [], slices=wanted).slices}
    assert sizes["label=label 1"] == 500 and sizes["source=mail.csv"] == 500
    assert sizes["tier=gold"] == sizes["gold mail"] == 200 and sizes["new"] == 100
    for column, bands in (("length", 4), ("age", 4)):
        parts = {name: size for name, size in sizes.items() if name.startswith(f"{column}=")}
        assert len(parts) == bands and sum(parts.values()) == 2000
    assert sizes["age=0..499"] == 500


def test_a_slice_that_holds_every_row_is_no_slice(tmp_path: Path) -> None:
    found = sliced(tmp_path, [], [], slices=["all: age >= 0", "source"])
    assert by_name(found).keys() == {"source=mail.csv", "source=web.csv"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"slices": ["teir"]}, r'there is no column "teir"\. Did you mean "tier"\?'),
        ({"slices": ["x: teir == gold"]}, 'there is no column "teir"'),
        ({"slices": ["x: tier > 3"]}, "compares by size"),
        ({"slices": [], "critical_slices": ["gold"]}, "neither `column=value` nor the name of a filter"),
    ],
)
def test_a_mistake_in_a_slice_is_named(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        judge(sliced(tmp_path, [], [], **settings))
