"""Conversion: the same bytes for the same weights, and an error for what cannot be converted."""

from pathlib import Path
from typing import Any

import pytest

from tunegate.engines.conversion import convert
from tunegate.errors import UserError

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def bert() -> Any:
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=3
    )
    return BertForSequenceClassification(config).eval()


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same weights, converted twice in one process."""
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    for folder in folders:
        convert(bert(), INPUTS, folder)
    return folders


@pytest.mark.parametrize("file", ["model.xml", "model.bin"])
def test_equal_weights_give_equal_bytes_also_within_one_process(converted: list[Path], file: str) -> None:
    """OpenVINO names nodes by a counter that goes on from conversion to conversion."""
    assert (converted[0] / file).read_bytes() == (converted[1] / file).read_bytes()


def test_weights_are_kept_in_fp32(converted: list[Path]) -> None:
    graph = (converted[0] / "model.xml").read_text()
    assert 'element_type="f32"' in graph and 'element_type="f16"' not in graph


def test_the_graph_holds_no_path_of_the_machine_that_made_it(converted: list[Path]) -> None:
    graph = (converted[0] / "model.xml").read_text()
    assert str(converted[0].parent) not in graph and str(Path.home()) + "/" not in graph


def test_an_architecture_that_loses_an_input_on_the_way_is_refused(tmp_path: Path) -> None:
    from transformers import FunnelConfig, FunnelForSequenceClassification

    config = FunnelConfig(vocab_size=50, block_sizes=[1, 1], d_model=16, n_head=2, d_head=8, d_inner=32)
    with pytest.raises(UserError, match="FunnelForSequenceClassification"):
        convert(FunnelForSequenceClassification(config), INPUTS, tmp_path)
    assert not (tmp_path / "model.xml").exists()
