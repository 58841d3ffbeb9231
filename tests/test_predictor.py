"""Records in, answers out: in order, the same alone and in any batch, and from untouched files only."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trained import Trained
from tunegate import predictor as predictor_module
from tunegate.errors import UserError
from tunegate.exported import read_manifest, write_manifest
from tunegate.predictor import Predictor
from tunegate.records import read_table
from tunegate.tasks.text_classification.record import Answer
from tunegate.text import tokens

OLD = Path(__file__).parent / "data" / "export-v1"


@pytest.fixture(scope="module")
def opened(judged: Trained) -> Predictor:
    return Predictor.open(judged.export, "fp32")


@pytest.fixture(scope="module")
def rows(judged: Trained) -> pa.Table:
    return read_table(judged.stage("validate") / "test.parquet")


def scores(answers: pa.Table) -> np.ndarray:
    return np.array(answers["scores"].to_pylist())


@settings(max_examples=15)
@given(order=st.permutations(range(20)), budget=st.sampled_from([1, 64, 200, 4096]))
def test_answers_come_in_the_records_order_wherever_batches_fell(
    opened: Predictor, rows: pa.Table, order: list[int], budget: int
) -> None:
    few = rows.slice(0, 20)
    rows = few.take(order)
    windows = opened.encode(rows)
    shuffled = opened.decode(opened.outputs(windows, max_tokens=budget), windows, rows)
    expected = scores(opened.answers(few))[order]
    assert np.abs(scores(shuffled) - expected).max() <= 3e-6


def test_no_more_than_a_chunk_is_computed_at_once(
    opened: Predictor, rows: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = opened.answers(rows)
    monkeypatch.setattr(predictor_module, "CHUNK", 7)
    told: list[tuple[int, int]] = []
    pieces = opened.answers(rows, lambda done, total: told.append((done, total)))
    assert pieces["label"].to_pylist() == whole["label"].to_pylist()
    assert told[0] == (7, len(rows)) and told[-1] == (len(rows), len(rows))


def test_of_long_texts_fewer_are_computed_at_once(
    opened: Predictor, rows: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = opened.answers(rows)
    monkeypatch.setattr(tokens, "CHUNK_CHARACTERS", 1)
    told: list[int] = []
    pieces = opened.answers(rows, lambda done, total: told.append(done))
    assert pieces["label"].to_pylist() == whole["label"].to_pylist()
    assert told == list(range(1, len(rows) + 1))


def test_no_rows_have_no_answers_with_the_same_columns(opened: Predictor, rows: pa.Table) -> None:
    none = opened.answers(rows.slice(0, 0))
    assert len(none) == 0
    assert none.schema == opened.answers(rows.slice(0, 1)).schema
    assert opened.responses([]) == []


def test_labels_are_never_looked_at(opened: Predictor, rows: pa.Table) -> None:
    without = opened.answers(rows.drop_columns(["label"]))
    assert without.equals(opened.answers(rows))


def test_responses_are_answers_as_the_service_gives_them(opened: Predictor) -> None:
    responses = opened.responses([{"text": "snow and cold wind"}, {"text": "fresh bread"}], with_scores=True)
    answers = [Answer.model_validate(response) for response in responses]
    assert [answer.label for answer in answers] == ["weather", "food"]
    assert set(answers[0].scores or {}) == {"food", "weather"}
    assert sum((answers[0].scores or {}).values()) == pytest.approx(1)


@pytest.mark.parametrize("text", ["", "   ", "\u0000", "[SEP] [CLS]", "雨", "a" * 5000, "🌧️" * 300])
def test_any_text_is_answered(opened: Predictor, text: str) -> None:
    (response,) = opened.responses([{"text": text}])
    assert 0 <= response["confidence"] <= 1


def test_a_pair_is_answered_like_any_record(opened: Predictor) -> None:
    alone, pair = opened.responses([{"text": "rain"}, {"text": "rain", "text_b": "bread and butter"}])
    assert alone["confidence"] != pair["confidence"]


def test_threads_that_ask_at_once_get_their_own_answers(opened: Predictor, rows: pa.Table) -> None:
    texts = rows["text"].to_pylist()
    expected = [opened.responses([{"text": text}])[0]["confidence"] for text in texts]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: opened.responses([{"text": text}])[0]["confidence"], texts))
    assert found == expected


def test_warming_runs_every_length_and_changes_no_answer(opened: Predictor, rows: pa.Table) -> None:
    before = scores(opened.answers(rows))
    opened.warm()
    assert (scores(opened.answers(rows)) == before).all()


def test_both_engines_and_precisions_agree_within_their_tolerance(judged: Trained, rows: pa.Table) -> None:
    fp32 = scores(Predictor.open(judged.export, "fp32").answers(rows))
    for precision in read_manifest(judged.export).precisions:
        assert np.abs(scores(Predictor.open(judged.export, precision).answers(rows)) - fp32).max() < 2e-3


def test_predicting_loads_no_torch(judged: Trained) -> None:
    code = (
        "import sys; from pathlib import Path; from tunegate.predictor import Predictor\n"
        f"print(Predictor.open(Path({str(judged.export)!r})).responses([{{'text': 'rain'}}])[0]['label'])\n"
        "print([name for name in ('torch', 'transformers', 'sklearn', 'scipy') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split("\n")
    assert out[:2] == ["weather", "[]"]


@pytest.mark.parametrize("name", ["openvino/model.xml", "openvino/model.bin", "tokenizer.json", "fitted.json"])
def test_a_changed_byte_is_noticed_and_named(trained: Trained, name: str) -> None:
    file = trained.export / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match=f"{name} is not the file that was exported"):
        Predictor.open(trained.export)


def test_a_missing_file_is_named(trained: Trained) -> None:
    (trained.export / "golden.json").unlink()
    with pytest.raises(UserError, match=r"golden\.json is missing"):
        Predictor.open(trained.export)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: {**content, "labels": content["labels"][::-1]}, "changed after it was written"),
        (lambda content: {**content, "max_length": 8}, "changed after it was written"),
        (lambda content: {**content, "format_version": 99}, "format version 99"),
        (lambda content: {**content, "engine": "magic"}, "is damaged: engine"),
        (lambda content: [], "format version None"),
    ],
)
def test_a_changed_manifest_is_noticed(trained: Trained, change: Callable[[object], object], said: str) -> None:
    path = trained.export / "manifest.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(UserError, match=said):
        Predictor.open(trained.export)


def test_permuted_labels_are_noticed_under_a_fresh_manifest(trained: Trained) -> None:
    manifest = read_manifest(trained.export)
    write_manifest(trained.export, manifest.model_copy(update={"labels": manifest.labels[::-1]}))
    with pytest.raises(UserError, match="golden rows do not belong to its labels"):
        Predictor.open(trained.export)


def test_labels_permuted_in_the_golden_rows_too_are_noticed_by_their_answers(trained: Trained) -> None:
    manifest = read_manifest(trained.export)
    golden = trained.export / "golden.json"
    content = json.loads(golden.read_text())
    golden.write_text(json.dumps({**content, "labels": content["labels"][::-1]}))
    write_manifest(trained.export, manifest.model_copy(update={"labels": manifest.labels[::-1]}))
    with pytest.raises(UserError, match="answers 16 of 16 golden rows otherwise"):
        Predictor.open(trained.export)


def test_another_temperature_under_a_fresh_manifest_is_noticed(trained: Trained) -> None:
    fitted = trained.export / "fitted.json"
    content = json.loads(fitted.read_text())
    fitted.write_text(json.dumps({name: {"temperature": 3.0} for name in content}))
    write_manifest(trained.export, read_manifest(trained.export))
    with pytest.raises(UserError, match=r"scores differ by up to 0\."):
        Predictor.open(trained.export)


def test_a_precision_that_was_not_judged_is_refused(trained: Trained) -> None:
    manifest = read_manifest(trained.export)
    write_manifest(trained.export, manifest.model_copy(update={"precisions": ["fp32"]}))
    assert Predictor.open(trained.export).precision == "fp32"
    with pytest.raises(UserError, match="not exported \\(and not judged\\) in bf16"):
        Predictor.open(trained.export, "bf16")


def test_an_engine_without_files_is_refused(judged: Trained) -> None:
    with pytest.raises(UserError, match="holds no torch files"):
        Predictor.open(judged.export, engine="torch")


def test_a_cpu_without_bf16_serves_fp32(judged: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert Predictor.open(judged.export).precision == "fp32"


def test_an_export_of_format_1_stays_readable() -> None:
    """Kept as it was written: a champion is scored again by newer code."""
    found = Predictor.open(OLD).responses([{"text": "heavy rain and wind"}, {"text": "cake with butter"}])
    assert [answer["label"] for answer in found] == ["weather", "food"]
