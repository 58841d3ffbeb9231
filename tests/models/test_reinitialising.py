from pathlib import Path

import pytest
import torch

from tests.models.encoders import tiny_encoder, vocabulary_size
from tunegate.errors import UserError
from tunegate.models.loading import Build, Loaded, load_base
from tunegate.task import Head

HEAD = Head("AutoModelForSequenceClassification", ("logits",), "cross_entropy")


def load(folder: Path, layers: int, seed: int = 0) -> Loaded:
    return load_base(folder, HEAD, Build({"num_labels": 2}, {}, None, seed, layers), vocabulary_size(folder))


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta", "electra"])
def test_top_layers_start_anew_and_all_else_comes_from_the_folder(family: str, tmp_path: Path) -> None:
    folder = tiny_encoder(family, tmp_path)
    for parameter in (whole := load(folder, 0)).model.parameters():
        parameter.data.add_(0.5)
    whole.model.save_pretrained(folder)  # norms that are not 1, biases that are not 0
    kept, drawn = load(folder, 0), load(folder, 2)
    changed = {
        name
        for (name, one), (_, other) in zip(kept.model.named_parameters(), drawn.model.named_parameters(), strict=True)
        if not one.equal(other)
    }
    assert changed == set(drawn.reinitialised)
    assert any("layer.2." in name for name in changed) and any("layer.1." in name for name in changed)
    assert not any("layer.0." in name or "embeddings" in name or "classifier" in name for name in changed)
    for name in changed:
        value = drawn.model.get_parameter(name).detach()
        assert float(value.abs().max()) < 0.2 or bool((value == 1).all()), name


def test_what_is_drawn_depends_on_the_seed_alone(tmp_path: Path) -> None:
    folder = tiny_encoder("bert", tmp_path)
    name = "bert.encoder.layer.2.output.dense.weight"
    first, again, other = (load(folder, 1, seed).model.get_parameter(name) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_more_layers_than_there_are_and_shared_layers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"reinitialised_layers is 4, and the model has 3 layers"):
        load(tiny_encoder("bert", tmp_path / "bert"), 4)
    with pytest.raises(UserError, match="layers share their weights"):
        load(tiny_encoder("albert", tmp_path / "albert"), 1)
