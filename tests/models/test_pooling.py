"""A text's head with a pooling of choice, on every family: loaded, saved, served, trained on kept features."""

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch

from tests.models.encoders import FAMILIES, tiny_encoder, vocabulary_size
from tunegate.engines import open_engine
from tunegate.engines.conversion import convert
from tunegate.errors import UserError
from tunegate.models.boundary import Above, hidden_states, kept_states
from tunegate.models.loading import Build, Loaded, input_names, load_base, load_finished, save_model
from tunegate.models.pooling import WORDS, Pooling
from tunegate.task import Head
from tunegate.train_settings import TrainSettings

HEAD = Head("AutoModelForSequenceClassification", ("logits",), "cross_entropy")
IDS = np.random.default_rng(0).integers(5, 50, (3, 12))
MASK = np.array([[1] * 12, [1] * 5 + [0] * 7, [1] * 9 + [0] * 3])
ARRAYS = {"input_ids": IDS, "attention_mask": MASK, "token_type_ids": np.zeros_like(IDS)}


def load(folder: Path, kind: str, layers: int = 1, head: Head = HEAD) -> Loaded:
    build = Build({"num_labels": 4}, {}, None, 0, pooling=Pooling(kind, layers))
    return load_base(folder, head, build, vocabulary_size(folder))


def asked(model: Any) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(ARRAYS[name]) for name in input_names(model)}


def test_every_pooling_that_can_be_set_has_words() -> None:
    kinds = get_args(TrainSettings.model_fields["pooling"].annotation)
    assert set(WORDS) == set(kinds) - {"auto"}


@pytest.mark.parametrize(
    ("family", "kind"), [*(("bert", kind) for kind in WORDS), *((family, "mean") for family in FAMILIES[1:])]
)
def test_it_is_read_back_the_same_in_torch_and_openvino_and_padding_says_nothing(
    family: str, kind: str, tmp_path: Path
) -> None:
    base = tiny_encoder(family, tmp_path / "base", layers=1)
    loaded = load(base, kind, layers=2)
    model = loaded.model.eval()
    assert {name.split(".")[0] for name in loaded.new} == {"head"} and "2 hidden layers" in loaded.effects[0].what
    with torch.no_grad():
        given = model(**asked(model))["logits"].numpy()
        alone = model(**{name: tensor[1:2, :5] for name, tensor in asked(model).items()})["logits"].numpy()
    assert np.abs(given[1:2] - alone).max() < 1e-6
    save_model(model, base / "tokenizer.json", tmp_path / "saved")
    convert(load_finished(tmp_path / "saved", HEAD), input_names(model), tmp_path / "openvino")
    for name, folder in (("torch", "saved"), ("openvino", "openvino")):
        answers = open_engine(name, tmp_path / folder, HEAD, "fp32").run(ARRAYS)  # type: ignore[arg-type]
        assert np.abs(answers["logits"] - given).max() < 1e-5


def test_pooled_vectors_are_what_their_names_say(tmp_path: Path) -> None:
    base = tiny_encoder("bert", tmp_path)
    for kind in WORDS:
        model: Any = load(base, kind).model.eval()
        with torch.no_grad():
            hidden = hidden_states(model, asked(model))
            pooled = model.head.pooled(hidden, torch.from_numpy(MASK))[1]
        real = hidden[1, :5]
        wanted = {"cls": real[0], "mean": real.mean(0), "max": real.max(0).values}
        if kind in wanted:
            assert pooled.allclose(wanted[kind], atol=1e-6)
        else:
            assert bool((pooled <= real.max(0).values + 1e-6).all() and (pooled >= real.min(0).values - 1e-6).all())


@pytest.mark.parametrize("kind", WORDS)
def test_the_head_alone_answers_as_the_whole_model_where_pooling_learns_nothing(kind: str, tmp_path: Path) -> None:
    model = load(tiny_encoder("bert", tmp_path), kind).model.eval()
    inputs = asked(model)
    above = Above(model, 2, input_names(model), ("logits",))
    assert above.is_exact(inputs) == (kind != "attention")
    if kind == "mean":
        with torch.no_grad():
            assert not kept_states(model, inputs).allclose(hidden_states(model, inputs)[:, 0], atol=1e-3)


def test_a_task_that_reads_tokens_refuses_a_pooling(tmp_path: Path) -> None:
    tokens = Head("AutoModelForTokenClassification", ("logits",), "cross_entropy")
    with pytest.raises(UserError, match=r"train\.pooling: .*reads every token"):
        load(tiny_encoder("bert", tmp_path), "mean", head=tokens)
