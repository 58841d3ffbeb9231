"""Outputs that speak of pairs of tokens are kept at their windows' own length, wherever batches fell."""

from pathlib import Path

import numpy as np
import pytest

from tests.tiny import tiny_tokenizer
from tunegate import predictor as predictor_module
from tunegate.exported import Manifest
from tunegate.params import Precision
from tunegate.predictor import Predictor
from tunegate.text.tokens import load_tokenizer
from tunegate.windows import Arrays


class Products:
    """Says of two tokens the product of their numbers."""

    precision: Precision = "fp32"

    def run(self, arrays: Arrays) -> Arrays:
        ids = arrays["input_ids"].astype(np.float32)
        pairs = ids[:, :, None] * ids[:, None, :]
        return {"arcs": pairs, "relations": 0 * pairs, "relation_scores": -pairs}


def products(folder: Path) -> Predictor:
    tokenizer = load_tokenizer(tiny_tokenizer(folder, ["the dog sleeps"]))
    manifest = Manifest(
        task="dependency_parsing", labels=["dep"], max_length=16, engine="torch", precisions=["fp32"],
        inputs=["input_ids"], outputs=["arcs", "relations", "relation_scores"], files={},
    )  # fmt: skip
    return Predictor(manifest, "fp32", Products(), {}, tokenizer)


RECORDS = [{"tokens": ["the", "dog", "sleeps"] * times} for times in (3, 1, 9, 2)]


def test_a_small_chunk_of_pairs_stands_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = products(tmp_path)
    monkeypatch.setattr(predictor_module, "PAIRS_CHUNK", 3)
    told: list[tuple[int, int]] = []
    predictor.answers(predictor.table(RECORDS), lambda done, total: told.append((done, total)))
    assert told == [(3, 4), (4, 4)]


@pytest.mark.parametrize("budget", [1, 40, 4096])
def test_each_window_has_its_own_pairs_and_no_padding(tmp_path: Path, budget: int) -> None:
    predictor = products(tmp_path)
    windows = predictor.encode(predictor.table(RECORDS))
    outputs = predictor.outputs(windows, max_tokens=budget)
    for number, (start, end) in enumerate(zip(windows.offsets, windows.offsets[1:], strict=False)):
        ids = windows.tokens["input_ids"][start:end].astype(np.float32)
        assert np.array_equal(outputs["arcs"][number], np.outer(ids, ids))
        assert outputs["relation_scores"][number].shape == (end - start, end - start)
    assert len(windows) > len(RECORDS)
