from pathlib import Path

import pytest

from tests.models.encoders import FAMILIES, tiny_encoder
from tests.models.test_loading import load
from tunegate.errors import UserError
from tunegate.models.freezing import encoder_layers, freeze, train_mode


def trained(model: object) -> set[str]:
    return {name for name, weight in model.named_parameters() if weight.requires_grad}  # type: ignore[attr-defined]


@pytest.mark.parametrize("family", FAMILIES)
def test_head_only_trains_nothing_below_the_head_and_the_pooler(family: str, tmp_path: Path) -> None:
    model = load(tiny_encoder(family, tmp_path)).model
    freeze(model, "head", 0)
    assert trained(model)
    assert all(
        not name.startswith(f"{model.base_model_prefix}.") or name.startswith(f"{model.base_model_prefix}.pooler")
        for name in trained(model)
    )


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta", "electra"])
def test_partial_trains_exactly_the_layers_above_the_boundary(family: str, tmp_path: Path) -> None:
    model = load(tiny_encoder(family, tmp_path, layers=3)).model
    whole = trained(model)
    frozen = freeze(model, "partial", 2)
    layers = encoder_layers(model)
    assert frozen == 2
    assert not any(weight.requires_grad for layer in layers[:2] for weight in layer.parameters())
    assert all(weight.requires_grad for weight in layers[2].parameters())
    assert not any("embeddings" in name for name in trained(model))
    assert trained(model) < whole


def test_full_trains_everything(tmp_path: Path) -> None:
    model = load(tiny_encoder("bert", tmp_path)).model
    assert freeze(model, "full", 0) == 0
    assert all(weight.requires_grad for weight in model.parameters())


def test_more_frozen_layers_than_there_are_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="frozen_layers is 4, and the model has 3"):
        freeze(load(tiny_encoder("bert", tmp_path)).model, "partial", 4)


def test_layers_that_share_their_weights_cannot_be_frozen_one_by_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="share their weights"):
        freeze(load(tiny_encoder("albert", tmp_path)).model, "partial", 1)


def test_what_is_frozen_runs_without_dropout(tmp_path: Path) -> None:
    model = load(tiny_encoder("bert", tmp_path)).model
    freeze(model, "partial", 2)
    train_mode(model)
    layers = encoder_layers(model)
    assert [layer.training for layer in layers] == [False, False, True]
    assert not model.base_model.embeddings.training
    assert model.training
