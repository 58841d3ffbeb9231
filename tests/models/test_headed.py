"""One of our own heads on encoders of every family: loaded, drawn, saved, told, converted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.models.encoders import FAMILIES, tiny_encoder, vocabulary_size
from tunegate.engines import open_engine
from tunegate.engines.conversion import convert
from tunegate.errors import UserError
from tunegate.models.freezing import freeze
from tunegate.models.loading import Build, input_names, load_base, load_finished, save_model
from tunegate.task import Head
from tunegate.windows import Arrays

HEAD = Head(
    "biaffine", ("arcs", "relations", "relation_scores"), "arcs", told=("heads",), learnt=("arcs", "relation_logits")
)
BUILD = Build({"num_labels": 5, "arc_size": 16, "relation_size": 8}, {}, None, 0)


def load(folder: Path, build: Build = BUILD) -> Any:
    return load_base(folder, HEAD, build, vocabulary_size(folder))


def asked(rows: int, tokens: int) -> Arrays:
    ids = np.random.default_rng(0).integers(5, 60, (rows, tokens))
    mask = np.ones_like(ids)
    mask[-1, tokens // 2 :] = 0
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


@pytest.mark.parametrize("family", FAMILIES)
def test_it_takes_a_bare_encoders_weights_and_draws_only_the_head(family: str, tmp_path: Path) -> None:
    from transformers import AutoModel

    base = tiny_encoder(family, tmp_path / "base")
    loaded = load(base)
    assert {name.split(".")[0] for name in loaded.new} == {"head"}
    assert all(name.split(".")[0] == "pooler" for name in loaded.unused)
    bare = AutoModel.from_pretrained(base).get_input_embeddings().weight
    assert loaded.model.get_input_embeddings().weight.equal(bare)
    drawn = [value for name, value in loaded.model.head.named_parameters() if name.endswith("weight")]
    assert all(0.01 < float(value.std()) < 0.03 for value in drawn)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_model_answers_as_the_one_that_was_saved_in_torch_and_openvino(family: str, tmp_path: Path) -> None:
    base = tiny_encoder(family, tmp_path / "base")
    model = load(base).model.eval()
    torch.nn.init.normal_(model.head.arc.weight)  # with opinions, so that a wrong graph shows
    torch.nn.init.normal_(model.head.relation.weight)
    save_model(model, base / "tokenizer.json", tmp_path / "saved")
    theirs = open_engine("torch", tmp_path / "saved", HEAD, "fp32")
    convert(load_finished(tmp_path / "saved", HEAD), input_names(model), tmp_path / "openvino")
    ours = open_engine("openvino", tmp_path / "openvino", HEAD, "fp32")
    for rows, tokens in ((1, 8), (3, 24)):
        arrays = asked(rows, tokens)
        with torch.no_grad():
            given = model(**{name: torch.from_numpy(arrays[name]) for name in input_names(model)})
        for answers in (theirs.run(arrays), ours.run(arrays)):
            assert set(answers) == set(HEAD.outputs)
            assert all(np.abs(answers[name] - given[name].numpy()).max() < 1e-5 for name in answers)
        alone = ours.run({name: array[:1] for name, array in arrays.items()})
        together = ours.run(arrays)
        assert all(np.abs(alone[name] - together[name][:1]).max() < 1e-5 for name in alone)


def test_a_folder_with_another_head_lends_its_encoder(tmp_path: Path) -> None:
    from transformers import AutoModelForTokenClassification

    base = tiny_encoder("bert", tmp_path / "base")
    other = AutoModelForTokenClassification.from_pretrained(base, num_labels=2)
    other.save_pretrained(tmp_path / "other")
    (tmp_path / "other" / "tokenizer.json").write_bytes((base / "tokenizer.json").read_bytes())
    loaded = load(tmp_path / "other")
    assert loaded.unused == ("classifier.bias", "classifier.weight")
    assert loaded.model.bert.encoder.layer[0].output.dense.weight.equal(other.bert.encoder.layer[0].output.dense.weight)


def test_it_is_frozen_as_any_other(tmp_path: Path) -> None:
    model = load(tiny_encoder("bert", tmp_path)).model
    assert freeze(model, "head", 0) == 3
    assert {name.split(".")[0] for name, value in model.named_parameters() if value.requires_grad} == {"head"}


def test_dropout_of_the_head_is_that_of_the_family(tmp_path: Path) -> None:
    for family in FAMILIES:
        build = Build(BUILD.options, {}, 0.25, 0)
        assert load(tiny_encoder(family, tmp_path / family), build).model.head.dropout.p == 0.25


def test_weights_without_the_head_are_no_finished_model(tmp_path: Path) -> None:
    base = tiny_encoder("bert", tmp_path)
    model = load(base).model
    save_model(model, base / "tokenizer.json", tmp_path / "saved")
    from safetensors.torch import load_file, save_file

    path = tmp_path / "saved" / "model.safetensors"
    weights = {name: value for name, value in load_file(path).items() if not name.startswith("head.arc.")}
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"lacks the weights head\.arc"):
        load_finished(tmp_path / "saved", HEAD)
