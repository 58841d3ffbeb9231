"""Slices of a task that answers numbers: harm is a grown error, in their own unit; an equal model is left alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.gate.evidence import named
from tests.tasks.test_text_regression import ANSWERING, FEW, RECORD, TASK, answered
from tests.tasks.test_text_regression import rows as scored
from tunegate.evaluation.answers import counted
from tunegate.evaluation.contest import Contest, Facts, findings
from tunegate.evaluation.findings import Latency
from tunegate.evaluation.leave_outs import LeaveOuts
from tunegate.evaluation.rivals import Rival
from tunegate.evaluation.rows import rows_table
from tunegate.gate.checks import Evidence
from tunegate.gate.notes import notes
from tunegate.gate.slice_errors import Errors
from tunegate.gate.sliced import Slice, read_sliced
from tunegate.gate.slices import no_slice_harmed
from tunegate.gate.words import slices_table
from tunegate.inputs import Reference
from tunegate.params import GateSettings
from tunegate.records import write_table

COUNT = 800
RANDOM = np.random.default_rng(5)
RIGHT = RANDOM.normal(60, 15, COUNT)
NOISE = RANDOM.normal(0, 1, (2, COUNT))
HIGH = np.argsort(RIGHT)[-COUNT // 4 :]


def evidence(folder: Path, ours: np.ndarray, theirs: np.ndarray, unit: float = 1.0, **settings: Any) -> Evidence:
    """Of a candidate and a champion whose answers lie so far off, each sure of an interval as wide as its error."""
    records = scored(RIGHT * unit)
    records = records.append_column("group", pa.nulls(COUNT, pa.string())).append_column(
        "meta", pa.nulls(COUNT, pa.string())
    )
    nobody = np.zeros(COUNT, dtype=bool)
    left_out = LeaveOuts(nobody, nobody, nobody)

    def answers(off: np.ndarray) -> pa.Table:
        return answered((RIGHT + off) * unit, float(np.quantile(np.abs(off), 0.9)) * unit)

    reference = Reference(hash="x", version="v1.0.0", run="r")
    rival = Rival("champion", reference, answers=answers(theirs), precision="fp32", digest="d", left_out=left_out)
    cheap = {name: (name, answers(NOISE[0] * 30)) for name in ANSWERING.BASELINES}
    contest = Contest(TASK, RECORD.PAYLOAD, ANSWERING, [], records, {"fp32": answers(ours)}, cheap, [rival], left_out)
    found = findings(contest, Facts("export", "answers", 0, 1.0), FEW)
    write_table(rows_table(records, RECORD.PAYLOAD, left_out, {"champion": left_out}), folder / "rows.parquet")
    write_table(counted(contest.counts), folder / "counts.parquet")
    wanted = GateSettings.model_validate({"margin": 0.02, "slices": ["label"], **settings})
    sliced = read_sliced(folder, found, ("score",), wanted)
    return Evidence(found, Latency(cpu="", threads=1, times={}), wanted, sliced=sliced)


def worse_where_high(share: float) -> np.ndarray:
    """The champion's errors, larger by that share in the highest quarter of the scores, and smaller elsewhere."""
    off = 5 * NOISE[0]
    factor = np.full(COUNT, 1 - share / 3)
    factor[HIGH] = 1 + share
    return off * factor


@pytest.mark.parametrize("unit", [1.0, 0.001, 1000.0])
def test_errors_that_grew_in_one_band_of_values_fail_the_gate_in_any_unit(unit: float, tmp_path: Path) -> None:
    found = evidence(tmp_path, worse_where_high(0.5), 5 * NOISE[0], unit)
    check = named(no_slice_harmed(found))["slices"]
    worst: Slice = found.slices[0]
    assert check.verdict == "FAIL" and worst.state == "harmed" and worst.n == COUNT // 4
    assert worst.difference is not None and worst.difference.value / unit == pytest.approx(-2.0, abs=0.4)
    assert f"{worst.name} (200 rows: error " in check.reason and "larger" in check.reason
    assert "answers more closely" in check.remedy and worst.name.startswith("score=")
    assert {part.state for part in found.slices[1:]} == {"fine"}
    assert any("error grew" in line for line in slices_table(found.slices))


def test_a_wider_interval_hides_no_harm(tmp_path: Path) -> None:
    """Of right intervals there are as many as before, since the worse model's are wider."""
    found = evidence(tmp_path, 15 * NOISE[1], 5 * NOISE[0])
    assert {part.state for part in found.slices} == {"harmed"}


def test_an_equal_model_is_hardly_ever_called_harmful() -> None:
    harmed = []
    for seed in range(300):
        random = np.random.default_rng(seed)
        off = random.standard_t(3, (2, 240)) * 5  # heavy tails
        errors = Errors(np.abs(off[1]) - np.abs(off[0]), 15.0)
        masks = [np.arange(240) % 4 == part for part in range(4)]
        harmed.append((4 * errors.p_values(masks)).min() <= 0.05)
    assert np.mean(harmed) <= 0.09


def test_few_rows_prove_nothing_and_say_how_many_would(tmp_path: Path) -> None:
    tiers = ["a: score > 90"]
    found = evidence(tmp_path, 5 * NOISE[1], 5 * NOISE[0], slices=tiers, critical_slices=["a"], slice_margin=0.01)
    assert named(no_slice_harmed(found))["slices"].verdict == "UNDECIDED"
    [part] = found.slices
    assert part.state == "too_small" and (part.more_rows or 0) > 0
    assert "do not rule out a loss of 0.1" in notes(found)[-1].reason  # 0.01 of a spread of 15


@pytest.mark.parametrize(("gain", "rows", "most"), [(0.0, 9, 1.0), (-1.0, 3, 0.125), (1.0, 3, 1.0)])
def test_rows_that_all_say_the_same_are_as_sure_as_their_signs(gain: float, rows: int, most: float) -> None:
    errors = Errors(np.full(rows, gain), 1.0)
    assert errors.p_values([np.ones(rows, dtype=bool)]).tolist() == [most]
    bounds = errors.bounds(np.ones(rows, dtype=bool))
    assert bounds.lower < gain < bounds.upper
