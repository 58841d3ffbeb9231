"""How long it takes to compare two models on 100,000 test rows: `python -m benchmarks.comparing`.

The same counts, interval and metric by the row-wise bootstrap of which this takes the place, on fewer resamples.
"""

import time
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from benchmarks.report import append, markdown
from tunegate.statistics.resampling import collapse, resampled
from tunegate.task import Counts, Metric
from tunegate.tasks.text_classification.answer import METRICS, counts

ROWS, LABELS, RESAMPLES, DIRECT = 100_000, 77, 10_000, 20


def main(rows: int = ROWS, resamples: int = RESAMPLES, direct: int = DIRECT) -> list[list[str]]:
    """A table of seconds per metric: ours, and what drawing rows one resample at a time would take."""
    first, second = models(rows)
    table = [["metric", "resamples", "seconds", "row-wise bootstrap (extrapolated)"]]
    for metric in METRICS[:2]:
        start = time.perf_counter()
        found = _bootstrap(metric, (first, second), resamples)
        seconds = time.perf_counter() - start
        if not np.isfinite(found).all():
            raise ValueError("the bootstrap gave no numbers")
        slow = _row_wise(metric, (first, second), direct) / direct * resamples
        table.append([metric.name, f"{resamples:,}", f"{seconds:.1f}", f"{slow:.0f}"])
    return table


def models(rows: int) -> tuple[Counts, Counts]:
    """Two models that are right on about 93 % of rows with 77 labels, and mistake a label for four others."""
    random = np.random.default_rng(0)
    labels = [f"label {number}" for number in range(LABELS)]
    truth = random.integers(0, LABELS, rows)
    records = pa.table({"label": pa.array(labels).take(pa.array(truth))})
    answers = [
        np.where(random.random(rows) < 0.93, truth, (truth + random.integers(1, 5, rows)) % LABELS) for _ in range(2)
    ]
    first, second = (
        counts(pa.table({"label": pa.array(labels).take(pa.array(each))}), records, labels) for each in answers
    )
    return first, second


def _bootstrap(metric: Metric, pair: Sequence[Counts], resamples: int) -> np.ndarray:
    """The paired bootstrap as evaluate has it, also where the metric has an interval of its own."""
    return resampled(collapse(pair), lambda sums: metric.value(sums[0]) - metric.value(sums[1]), resamples, 0)


def _row_wise(metric: Metric, pair: Sequence[Counts], resamples: int) -> float:
    """Seconds of so many resamples of row numbers, added up anew each time."""
    random, start = np.random.default_rng(0), time.perf_counter()
    for _ in range(resamples):
        weight = np.bincount(random.integers(0, pair[0].records, pair[0].records), minlength=pair[0].records)
        for of in pair:
            sums = np.bincount(of.key, of.number * weight[of.record], len(of.keys))
            metric.value({key: sums[number : number + 1] for number, key in enumerate(of.keys)})
    return time.perf_counter() - start


if __name__ == "__main__":
    found = main()
    print(markdown(found))
    how = f"{ROWS:,} test rows with {LABELS} labels, two models, paired bootstrap: `python -m benchmarks.comparing`."
    append("Comparing two models", how, found, ["numpy", "scipy"])
