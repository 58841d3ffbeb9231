"""Export: proved equal, the same bytes for the same weights, and honest about what it leaves out."""

import json
from pathlib import Path

import pytest

from tests.trained import PIPELINE, Trained, make_records
from tunegate.errors import UserError
from tunegate.exported import files_in, read_manifest, sha256
from tunegate.predictor import Predictor
from tunegate.records import read_table, write_table


@pytest.fixture(scope="module")
def again(judged: Trained, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The same weights and rows, exported once more elsewhere."""
    import shutil

    from tunegate.workspace import Workspace

    root = tmp_path_factory.mktemp("again") / "elsewhere"
    shutil.copytree(judged.workspace.root, root)
    other = Trained(Workspace(root))
    other.run("export")
    return other


def test_two_exports_of_the_same_weights_are_the_same_bytes(judged: Trained, again: Trained) -> None:
    names = files_in(judged.export)
    assert names == files_in(again.export)
    assert {name: sha256(judged.export / name) for name in names} == {
        name: sha256(again.export / name) for name in names
    }
    assert read_manifest(judged.export).digest == read_manifest(again.export).digest


def test_the_manifest_says_what_is_there(judged: Trained) -> None:
    manifest = read_manifest(judged.export)
    assert manifest.labels == ["food", "weather"]
    assert manifest.inputs == ["input_ids", "attention_mask", "token_type_ids"] and manifest.outputs == ["logits"]
    assert set(manifest.files) == {
        "fitted.json", "golden.json", "openvino/model.bin", "openvino/model.xml", "tokenizer.json",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "expected"), [(["b", "c"], "always"), (["b", None], "sometimes"), ([" ", None], "never")]
)
def test_the_manifest_says_whether_training_rows_had_a_second_text(
    trained: Trained, seconds: list[str | None], expected: str
) -> None:
    rows = [{"text": "rain", "label": "weather", **({"text_b": text} if text else {})} for text in seconds]
    trained.rows("train", rows)
    trained.run("export")
    assert read_manifest(trained.export).filled == {"text": "always", "text_b": expected}


def test_the_differences_from_torch_are_measured_and_reported(again: Trained) -> None:
    report = json.loads(again.workspace.report(PIPELINE, "export").read_text())
    fp32 = report["precisions"]["fp32"]
    assert fp32["parity"]["rows"] == 48
    assert 0 <= fp32["parity"]["from_torch"] <= 3e-6 and 0 <= fp32["parity"]["alone_from_batch"] <= 3e-6
    assert fp32["parity"]["flipped_clear"] == []
    assert 0.05 <= fp32["fitted"]["temperature"] <= 20


def test_golden_rows_are_of_every_label_and_hold_no_label(judged: Trained) -> None:
    golden = json.loads((judged.export / "golden.json").read_text())
    assert len(golden["records"]) == 16
    assert set(golden["answers"]["fp32"]["decided"]) == {"food", "weather"}
    assert {key for record in golden["records"] for key in record} == {"text"}


def test_the_torch_engine_serves_the_same_answers(trained: Trained) -> None:
    rows = read_table(trained.stage("validate") / "test.parquet")
    before = Predictor.open(trained.export, "fp32").responses(rows.to_pylist())
    trained.settings(export={"engine": "torch", "precisions": ["fp32"]})
    trained.run("export")
    assert "torch/model.safetensors" in files_in(trained.export)
    after = Predictor.open(trained.export, "fp32").responses(rows.to_pylist())
    assert [answer["label"] for answer in after] == [answer["label"] for answer in before]
    assert [answer["confidence"] for answer in after] == pytest.approx([a["confidence"] for a in before], abs=3e-5)


def test_an_architecture_that_openvino_gets_wrong_goes_to_torch_and_says_why(trained: Trained) -> None:
    _train_funnel(trained.model)
    trained.settings(export={"precisions": ["fp32"]})
    report = trained.run("export")
    assert report.engine == "torch"
    assert "FunnelForSequenceClassification" in report.why_this_engine
    assert not (trained.export / "openvino").exists()
    assert Predictor.open(trained.export).responses([{"text": "rain"}])


def test_openvino_that_was_demanded_and_cannot_be_is_an_error(trained: Trained) -> None:
    _train_funnel(trained.model)
    trained.settings(export={"engine": "openvino", "precisions": ["fp32"]})
    with pytest.raises(UserError, match=r"export\.engine is openvino, but"):
        trained.run("export")


def test_a_precision_that_this_machine_does_not_compute_is_left_out_with_the_reason(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    trained.settings(export={"precisions": ["fp32", "bf16"]})
    report = trained.run("export")
    assert list(report.precisions) == ["fp32"] == read_manifest(trained.export).precisions
    assert "ONEDNN_MAX_CPU_ISA=AVX2" in report.left_out["bf16"]
    assert "bf16 is not shipped" in report.markdown()


def test_no_precision_that_can_be_computed_is_an_error(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    trained.settings(export={"precisions": ["bf16"]})
    with pytest.raises(UserError, match=r"export\.precisions: this machine computes none"):
        trained.run("export")


def test_without_validation_rows_the_tasks_examples_are_compared_and_nothing_is_fitted(trained: Trained) -> None:
    empty = make_records([], "validation")
    write_table(empty, trained.stage("validate") / "validation.parquet")
    report = trained.run("export")
    assert "examples" in report.measured_on
    assert {found.fitted["temperature"] for found in report.precisions.values()} == {1.0}


def test_a_model_of_other_labels_is_refused(trained: Trained) -> None:
    (trained.stage("validate") / "labels.json").write_text('["food", "weather", "sports"]')
    with pytest.raises(UserError, match="trained for other labels"):
        trained.run("export")


def test_a_failed_export_leaves_the_old_one_and_no_report(trained: Trained) -> None:
    """A half-made folder never stands under the final name."""
    (trained.model / "model.safetensors").unlink()
    with pytest.raises(UserError):
        trained.run("export")
    assert Predictor.open(trained.export)
    assert not trained.workspace.report(PIPELINE, "export").exists()


def _train_funnel(folder: Path) -> None:
    """An architecture whose graph comes back without one of its inputs."""
    import torch
    from transformers import FunnelConfig, FunnelForSequenceClassification

    from tunegate.tasks.text_classification.encode import head_options
    from tunegate.text.tokens import load_tokenizer

    torch.manual_seed(0)
    size = load_tokenizer(folder).vocabulary_size
    config = FunnelConfig(
        vocab_size=size, block_sizes=[1, 1], d_model=16, n_head=2, d_head=8, d_inner=32,
        **head_options(["food", "weather"], {}),
    )  # fmt: skip
    FunnelForSequenceClassification(config).save_pretrained(folder)
