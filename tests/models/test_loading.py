import json
from pathlib import Path

import pytest

from tests.models.encoders import FAMILIES, tiny_encoder, vocabulary_size
from tunegate.errors import UserError
from tunegate.models.loading import Build, Loaded, input_names, load_base, load_finished, save_model
from tunegate.task import Head

HEAD = Head("AutoModelForSequenceClassification", ("logits",), "cross_entropy")
TWO = Build({"num_labels": 2}, {}, None, 0)


def load(folder: Path, build: Build = TWO) -> Loaded:
    return load_base(folder, HEAD, build, vocabulary_size(folder))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_model_answers_as_the_one_that_was_saved(family: str, tmp_path: Path) -> None:
    import torch

    base = tiny_encoder(family, tmp_path / "base")
    model = load(base).model.eval()
    save_model(model, base / "tokenizer.json", tmp_path / "saved")
    again = load_finished(tmp_path / "saved", HEAD)
    ids = torch.tensor([[2, 7, 8, 3]])
    with torch.no_grad():
        assert torch.equal(model(input_ids=ids).logits, again(input_ids=ids).logits)
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]


def test_token_types_are_given_only_to_models_that_read_them(tmp_path: Path) -> None:
    reading = {family: input_names(load(tiny_encoder(family, tmp_path / family)).model) for family in FAMILIES}
    assert {family for family, names in reading.items() if "token_type_ids" in names} == {"bert", "albert", "electra"}
    assert all(names[:2] == ("input_ids", "attention_mask") for names in reading.values())


def test_new_weights_are_named_and_depend_on_the_seed_alone(tmp_path: Path) -> None:
    base = tiny_encoder("bert", tmp_path)
    first, again, other = (load(base, Build({"num_labels": 2}, {}, None, seed)) for seed in (1, 1, 2))
    assert first.new == ("classifier.bias", "classifier.weight")
    weights = [loaded.model.get_parameter("classifier.weight") for loaded in (first, again, other)]
    assert weights[0].equal(weights[1]) and not weights[0].equal(weights[2])


@pytest.mark.parametrize("rows", [-1, 200])
def test_a_tokenizer_of_another_model_is_refused(rows: int, tmp_path: Path) -> None:
    base = tiny_encoder("bert", tmp_path)
    with pytest.raises(UserError, match="do not match"):
        load_base(base, HEAD, TWO, vocabulary_size(base) - rows)


def test_an_embedding_table_that_is_rounded_up_is_accepted(tmp_path: Path) -> None:
    base = tiny_encoder("bert", tmp_path)
    assert load_base(base, HEAD, TWO, vocabulary_size(base) - 40).model.config.vocab_size == vocabulary_size(base)


def test_fewer_layers_keep_the_lowest_ones_and_all_other_weights(tmp_path: Path) -> None:
    base = tiny_encoder("bert", tmp_path, layers=3)
    whole, short = load(base), load(base, Build({"num_labels": 2}, {"num_hidden_layers": 2}, None, 0))
    name = "bert.encoder.layer.1.output.dense.weight"
    assert short.model.config.num_hidden_layers == 2
    assert short.model.get_parameter(name).equal(whole.model.get_parameter(name))
    assert short.new == whole.new
    assert len(short.unused) == 16  # the third layer's


def test_a_change_that_the_config_does_not_know_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    base = tiny_encoder("bert", tmp_path)
    with pytest.raises(UserError, match=r'num_hidden_layer: .*Did you mean "num_hidden_layers"'):
        load(base, Build({"num_labels": 2}, {"num_hidden_layer": 2}, None, 0))


def test_a_change_of_shape_is_refused_in_words(tmp_path: Path) -> None:
    base = tiny_encoder("bert", tmp_path)
    with pytest.raises(UserError, match="cannot be loaded"):
        load(base, Build({"num_labels": 2}, {"hidden_size": 48}, None, 0))


@pytest.mark.parametrize("family", FAMILIES)
def test_dropout_of_every_family_can_be_set(family: str, tmp_path: Path) -> None:
    from torch import nn

    model = load(tiny_encoder(family, tmp_path), Build({"num_labels": 2}, {}, 0.25, 0)).model
    rates = {module.p for module in model.modules() if isinstance(module, nn.Dropout)}
    assert rates == {0.25}


def test_weights_that_are_not_the_configs_are_refused(tmp_path: Path) -> None:
    base = tiny_encoder("bert", tmp_path / "base", layers=1)
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 2}))
    with pytest.raises(UserError, match="lacks 16 of the encoder's weights"):
        load(base)


def test_a_base_model_without_a_file_is_named_with_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no base model"):
        load_base(tmp_path / "nowhere", HEAD, TWO, 10)
    base = tiny_encoder("bert", tmp_path)
    (base / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"holds no model\.safetensors"):
        load(base)
