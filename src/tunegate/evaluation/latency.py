"""How long one record takes from text to answer, one at a time on one thread, at given lengths in tokens."""

import platform
import time
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import pyarrow as pa

from tunegate.evaluation.findings import Times
from tunegate.predictor import Predictor
from tunegate.records import as_text

WARM_UP = 3  # calls before the clock starts
MOST_CHARACTERS = 50  # per token: no language's words have tokens so long


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
    """The first row, its first text (or list of words) made of all rows' texts until a window of `tokens` is full.

    Some windows never are: the tokenizer may keep nothing of the texts, or parts be cut alike. Then it is a long one.
    """
    asked = [name for name in predictor.questions if name in rows.column_names]
    plain = [name for name in asked if pa.types.is_string(rows.schema.field(name).type)]
    first = (plain or asked)[0]
    question = rows.select(asked).slice(0, 1).to_pylist()[0]
    texts = [text for name in asked for text in as_text(rows[name]).drop_null().to_pylist()]
    joined = ""
    for text in cycle([*texts, "and so on"]):
        joined = f"{joined} {text}"
        record = predictor.table([{**question, first: joined if plain else joined.split()}])
        if predictor.encode(record).lengths[0] >= tokens or len(joined) > MOST_CHARACTERS * tokens:
            break
    return record
