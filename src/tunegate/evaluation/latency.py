"""How long one record takes from text to answer, one at a time on one thread, at given lengths in tokens."""

import platform
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from tunegate.evaluation.findings import Times
from tunegate.predictor import Predictor
from tunegate.records import as_text

WARM_UP = 3  # calls before the clock starts


def measure(predictor: Predictor, rows: pa.Table, lengths: list[int], repeats: int) -> list[Times]:
    """Times at each length that the model takes; a longer one is measured at the longest that it takes."""
    possible = sorted({min(length, predictor.manifest.max_length) for length in lengths})
    return [_times(predictor, rows, length, repeats) for length in possible]


def cpu_name(description: Path = Path("/proc/cpuinfo")) -> str:
    """The CPU's model as Linux tells it, else the architecture."""
    try:
        lines = description.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _times(predictor: Predictor, rows: pa.Table, tokens: int, repeats: int) -> Times:
    """A record cut at just this length is what a record of this length costs."""
    cut = replace(predictor, manifest=predictor.manifest.model_copy(update={"max_length": tokens}))
    record = _long_record(cut, rows, tokens)
    seconds = np.empty(WARM_UP + repeats)
    for number in range(len(seconds)):
        start = time.perf_counter()
        cut.answers(record)
        seconds[number] = time.perf_counter() - start
    p50, p99 = np.percentile(seconds[WARM_UP:], [50, 99]) * 1000
    return Times(tokens=tokens, p50_ms=round(float(p50), 3), p99_ms=round(float(p99), 3), repeats=repeats)


def _long_record(predictor: Predictor, rows: pa.Table, tokens: int) -> pa.Table:
    """The first row, its first text joined with the other rows' until a window of `tokens` tokens is full."""
    first = predictor.questions[0]
    whole = pa.types.is_string(rows.schema.field(first).type)
    question = {name: value for name, value in rows.slice(0, 1).to_pylist()[0].items() if name in predictor.questions}
    joined = ""
    while True:
        for text in as_text(rows[first]).drop_null().to_pylist():
            joined = f"{joined} {text}"
            record = predictor.table([{**question, first: joined if whole else joined.split()}])
            if predictor.encode(record).lengths[0] >= tokens:
                return record
        joined += " and so on"  # texts of which the tokenizer keeps nothing must not loop for ever
