"""Evidence on a candidate beside earlier versions, from invented rows, through the files that evaluate leaves."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tests.gate.evidence import TASK, answers
from tunegate.evaluation.answers import counted
from tunegate.evaluation.contest import Contest, Facts, findings
from tunegate.evaluation.findings import Latency, Times
from tunegate.evaluation.leave_outs import LeaveOuts, leave_outs
from tunegate.evaluation.rivals import Name, Rival
from tunegate.evaluation.rows import rows_table
from tunegate.evaluation.scores import Resampling
from tunegate.gate.checks import Evidence
from tunegate.gate.sliced import read_sliced, without_rows
from tunegate.inputs import Reference
from tunegate.params import GateSettings, Precision
from tunegate.records import write_table
from tunegate.tasks import answering_of, record_of

PAYLOAD = record_of(TASK).PAYLOAD


def rows(truth: Sequence[str], **columns: Sequence[Any]) -> pa.Table:
    """Test rows with these labels; further columns stand in `meta`, but for `source`."""
    sources = columns.pop("source", ["made.csv"] * len(truth))
    meta = [json.dumps({name: values[row] for name, values in columns.items()}) for row in range(len(truth))]
    made = [
        {"id": f"r{n}", "source": sources[n], "source_line": n + 2, "group": None, "meta": meta[n],
         "text": " ".join(f"w{n}x{k}" for k in range(1 + n % 40)),
         "text_b": None, "label": label}
        for n, label in enumerate(truth)
    ]  # fmt: skip
    types = {name: pa.string() for name in ("id", "source", "group", "meta", "text", "text_b", "label")}
    schema = pa.schema([*types.items(), ("source_line", pa.int64())])
    return pa.Table.from_pylist(made, schema=schema)


def version(
    name: Name, records: pa.Table, given: Sequence[str], known: Sequence[str], learnt: Sequence[pa.Table] = ()
) -> Rival:
    """An earlier version that answered so, knows these labels and has learnt from these rows."""
    return Rival(
        name,
        Reference(hash=f"{name}-export", version="v1.0.0", run="abc"),
        answers=answers(given, known),
        labels=tuple(known),
        precision="fp32",
        digest=f"{name} digest",
        left_out=leave_outs(records, learnt, PAYLOAD, known),
    )


def against(
    folder: Path,
    records: pa.Table,
    candidate: Sequence[str] | Mapping[Precision, Sequence[str]],
    rivals: Sequence[Rival],
    **settings: Any,
) -> Evidence:
    """What the gate is told; nothing but versions and slices is judged (no baseline must be beaten)."""
    truth = records["label"].to_pylist()
    known = sorted(set(truth))
    candidates: Mapping[Precision, Sequence[str]] = candidate if isinstance(candidate, Mapping) else {"fp32": candidate}
    nobody = np.zeros(len(records), dtype=bool)
    contest = Contest(
        task=TASK,
        payload=PAYLOAD,
        answering=answering_of(TASK),
        labels=known,
        records=records,
        candidates={name: answers(given, known) for name, given in candidates.items()},
        baselines={"majority": ("majority", answers([known[0]] * len(truth), known))},
        rivals=rivals,
        left_out=LeaveOuts(nobody, nobody, nobody),
    )
    found = findings(contest, Facts("candidate digest", "answers", 0, 1.0), Resampling(200, 0))
    masks = {str(rival.name): rival.left_out for rival in rivals if rival.left_out is not None}
    write_table(
        rows_table(records, PAYLOAD, contest.left_out or LeaveOuts(nobody, nobody, nobody), masks),
        folder / "rows.parquet",
    )
    write_table(counted(contest.counts), folder / "counts.parquet")
    wanted = GateSettings.model_validate({"baselines": [], "max_calibration_error": None, **settings})
    times = {name: [Times(tokens=8, p50_ms=1.0, p99_ms=2.0, repeats=5)] for name in candidates}
    latency = Latency(cpu="a CPU", threads=1, times=times)
    sliced, unseen = read_sliced(folder, found, ("label",), wanted), without_rows(folder, ("label",), wanted)
    return Evidence(found, latency, wanted, sliced=sliced, unseen=unseen)


def gone(rival: Rival) -> Rival:
    """The same version after its files were lost."""
    return replace(rival, answers=None, left_out=None, problem=f"the files of {rival.title} are gone", remedy="Pull.")


def answered(truth: Sequence[str], wrong: Sequence[int]) -> list[str]:
    """Right but for these rows, which get the next label."""
    known = sorted(set(truth))
    given = list(truth)
    for row in wrong:
        given[row] = known[(known.index(truth[row]) + 1) % len(known)]
    return given
