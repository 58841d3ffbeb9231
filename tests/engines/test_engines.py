"""Both engines answer the same, in the precision that was asked for."""

from pathlib import Path

import numpy as np
import pytest

from tests.trained import Trained
from tunegate.engines import cpu_flags, open_engine, why_not
from tunegate.engines.openvino import OpenVinoEngine
from tunegate.errors import UserError
from tunegate.tasks.text_classification.encode import HEAD
from tunegate.windows import Arrays


def arrays(rows: int, tokens: int, seed: int = 0) -> Arrays:
    ids = np.random.default_rng(seed).integers(5, 60, (rows, tokens))
    mask = np.ones_like(ids)
    mask[-1, tokens // 2 :] = 0
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


@pytest.mark.parametrize(("rows", "tokens"), [(1, 8), (3, 24), (7, 40)])
def test_openvino_answers_as_torch_does_for_batches_and_lengths_it_was_not_traced_with(
    judged: Trained, rows: int, tokens: int
) -> None:
    asked = arrays(rows, tokens)
    ours = open_engine("openvino", judged.export / "openvino", HEAD, "fp32").run(asked)
    theirs = open_engine("torch", judged.model, HEAD, "fp32").run(asked)
    assert ours.keys() == theirs.keys() == {"logits"}
    assert ours["logits"].dtype == theirs["logits"].dtype == np.float32
    assert np.abs(ours["logits"] - theirs["logits"]).max() < 1e-5


def test_an_answer_is_not_overwritten_by_the_next(judged: Trained) -> None:
    engine = open_engine("openvino", judged.export / "openvino", HEAD, "fp32")
    first = engine.run(arrays(2, 8))["logits"]
    kept = first.copy()
    engine.run(arrays(2, 8, seed=1))
    assert (first == kept).all()


def test_an_input_that_the_graph_needs_and_nobody_gives_is_named(judged: Trained) -> None:
    engine = open_engine("openvino", judged.export / "openvino", HEAD, "fp32")
    with pytest.raises(ValueError, match="attention_mask"):
        engine.run({"input_ids": arrays(1, 8)["input_ids"]})


def test_a_damaged_graph_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text("<net>")
    with pytest.raises(UserError, match=r"model\.xml cannot be compiled by OpenVINO in fp32"):
        OpenVinoEngine(tmp_path / "model.xml", ("logits",), "fp32")


def test_every_cpu_computes_fp32() -> None:
    assert why_not("fp32") is None


def test_instructions_that_were_switched_off_are_not_used(monkeypatch: pytest.MonkeyPatch, judged: Trained) -> None:
    """OpenVINO itself claims bf16 under this setting, and then fails to compile."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    with pytest.raises(UserError, match="bf16 cannot be used here: ONEDNN_MAX_CPU_ISA=AVX2"):
        open_engine("openvino", judged.export / "openvino", HEAD, "bf16")


def test_a_cpus_instructions_are_read_as_linux_lists_them(tmp_path: Path) -> None:
    description = tmp_path / "cpuinfo"
    description.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16\nbogomips\t: 1\n")
    assert cpu_flags(description) == {"fpu", "avx2", "avx512_bf16"}
    description.write_text("processor\t: 0\nFeatures\t: fp asimd bf16\n")
    assert "bf16" in cpu_flags(description)
    assert cpu_flags(tmp_path / "absent") == frozenset()
