"""One record is measured at each length, whatever a question consists of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.tiny import tiny_tokenizer
from tunegate.evaluation.latency import measure
from tunegate.exported import Manifest
from tunegate.predictor import Predictor
from tunegate.tasks import record_of
from tunegate.text.tokens import load_tokenizer


@dataclass
class Zeros:
    """An engine that scores everything alike and keeps how long its batches were."""

    head: str
    widths: list[int]

    def run(self, arrays: dict[str, Any]) -> dict[str, Any]:
        rows, width = arrays["input_ids"].shape
        self.widths.append(width)
        return {"logits": np.zeros((rows, 1) if self.head == "pairwise" else (rows, width, 1))}


def predictor(folder: Path, form: str) -> tuple[Predictor, Zeros]:
    engine = Zeros(form, [])
    manifest = Manifest(
        task="multiple_choice", labels=[], options={"form": form}, max_length=64, engine="torch", precisions=["fp32"],
        inputs=["input_ids"], outputs=["logits"], files={},
    )  # fmt: skip
    tokenizer = load_tokenizer(tiny_tokenizer(folder, ["it rains up", "it rains down"]))
    return Predictor(manifest, "fp32", engine, {}, tokenizer), engine


def rows(**columns: list[Any]) -> pa.Table:
    payload = record_of("multiple_choice").PAYLOAD
    count = len(columns["options"])
    return pa.table({each.name: pa.array(columns.get(each.name, [None] * count), each.type) for each in payload})


@pytest.mark.parametrize("form", ["pairwise", "joint"])
@pytest.mark.parametrize("option", ["it rains up", "\u200b", "it rains up " * 30], ids=["short", "nothing", "long"])
def test_rows_without_a_question_were_measured_for_ever(tmp_path: Path, form: str, option: str) -> None:
    asked, engine = predictor(tmp_path, form)
    table = rows(options=[[option, "it rains down", "x"]] * 3, answer=[0, 1, 0])
    assert [times.tokens for times in measure(asked, table, [16, 32], 1)] == [16, 32]
    assert max(engine.widths) == 32


def test_lengths_are_those_that_were_asked_for(tmp_path: Path) -> None:
    asked, engine = predictor(tmp_path, "joint")
    table = rows(question=["it rains"] * 3, options=[["up", "down"]] * 3, answer=[0, 1, 0])
    measure(asked, table, [24], 1)
    assert set(engine.widths) == {24}
