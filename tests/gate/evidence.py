"""Evidence for the gate from invented rows, scored by the real code."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tunegate.evaluation.contest import Contest, Facts, findings
from tunegate.evaluation.findings import Latency, Times
from tunegate.evaluation.scores import Resampling
from tunegate.gate.checks import Check, Evidence
from tunegate.params import GateSettings, Precision
from tunegate.tasks import answering_of, record_of

TASK = "text_classification"


def answers(labels: Sequence[str], known: Sequence[str], confidence: float = 0.9) -> pa.Table:
    """Answers as the task decodes them, all of one confidence."""
    rest = (1 - confidence) / (len(known) - 1)
    scores = [[confidence if label == name else rest for name in known] for label in labels]
    flat = pa.array(np.array(scores).ravel())
    return pa.table(
        {
            "label": pa.array(labels, pa.string()),
            "confidence": np.full(len(labels), confidence),
            "scores": pa.FixedSizeListArray.from_arrays(flat, len(known)),
        }
    )


def evidence(
    truth: Sequence[str],
    candidate: Sequence[str] | Mapping[Precision, Sequence[str]],
    baselines: Mapping[str, Sequence[str]],
    *,
    confidence: float = 0.9,
    seen: int = 0,
    required: Sequence[str] | None = None,
    megabytes: float = 12.0,
    temperatures: Mapping[Precision, float] | None = None,
    times: Mapping[Precision, Times] | None = None,
    **settings: Any,
) -> Evidence:
    """Rows with these labels, answered so; `settings` are the gate's (`required` its `baselines`)."""
    known = sorted(set(truth))
    candidates = candidate if isinstance(candidate, Mapping) else {"fp32": candidate}
    rows = [{"id": f"r{n}", "text": f"text {n}", "text_b": None, "label": label} for n, label in enumerate(truth)]
    contest = Contest(
        task=TASK,
        payload=record_of(TASK).PAYLOAD,
        answering=answering_of(TASK),
        labels=known,
        records=pa.Table.from_pylist(rows),
        candidates={name: answers(given, known, confidence) for name, given in candidates.items()},
        baselines={name: (f"the baseline {name}", answers(given, known)) for name, given in baselines.items()},
    )
    found = findings(contest, Facts("export", "answers", seen, megabytes), Resampling(200, 0))
    measured = times or {name: Times(tokens=128, p50_ms=5.0, p99_ms=9.0, repeats=50) for name in candidates}
    latency = Latency(cpu="a CPU", threads=1, times={name: [time] for name, time in measured.items()})
    wanted = GateSettings.model_validate({**settings, "baselines": required})
    return Evidence(found, latency, wanted, temperatures or {})


def right(truth: Sequence[str], share: float, seed: int = 0) -> list[str]:
    """Answers of which about `share` are right, the others any other label."""
    random = np.random.default_rng(seed)
    known = sorted(set(truth))
    return [
        label if random.random() < share else str(random.choice([name for name in known if name != label]))
        for label in truth
    ]


def labels(rows: int, kinds: int = 4, seed: int = 9) -> list[str]:
    """Labels of equal frequency, in some order."""
    random = np.random.default_rng(seed)
    return [f"label {number}" for number in random.permutation(np.arange(rows) % kinds)]


def named(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}
