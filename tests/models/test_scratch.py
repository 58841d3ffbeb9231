"""Models from random weights."""

from pathlib import Path

import pytest

from tests.models.encoders import FAMILIES, tiny_encoder, vocabulary_size
from tunegate.models.loading import Build, Loaded, load_base
from tunegate.models.scratch import SIZES, Scratch
from tunegate.task import Head
from tunegate.train_settings import TrainSettings

HEAD = Head("AutoModelForSequenceClassification", ("logits",), "cross_entropy")


def load(folder: Path, scratch: Scratch, head: Head = HEAD, seed: int = 0) -> Loaded:
    options = {"num_labels": 2, "top_words": 2}
    return load_base(folder, head, Build(options, {}, None, seed, from_scratch=scratch), vocabulary_size(folder))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_comes_in_every_size(family: str, tmp_path: Path) -> None:
    base = tiny_encoder(family, tmp_path)
    for name, size in list(SIZES.items())[:2]:
        model = load(base, name).model  # type: ignore[arg-type]
        config = model.config
        assert (config.num_hidden_layers, config.hidden_size) == (size.layers, size.width)
        assert config.vocab_size == vocabulary_size(base)
        assert {4 * size.width} & {len(value) for value in model.parameters()}


def test_no_weight_of_the_base_model_is_left_and_the_seed_decides(tmp_path: Path) -> None:
    base = tiny_encoder("bert", tmp_path)
    name = "bert.encoder.layer.0.output.dense.weight"
    loaded = [load(base, "own_shape", seed=seed) for seed in (1, 1, 2)]
    first, again, other = (one.model.get_parameter(name) for one in loaded)
    known = load(base, "no").model.get_parameter(name)
    assert first.equal(again)
    assert first.shape == known.shape
    assert not first.equal(other)
    assert not first.equal(known)
    assert "start random" in loaded[0].effects[0].what


def test_a_model_that_fills_in_words_may_start_random(tmp_path: Path) -> None:
    head = Head("masked_words", ("top_words",), "masked_words")
    assert load(tiny_encoder("bert", tmp_path), "tiny", head).model.config.hidden_size == 128


def test_random_weights_are_not_frozen() -> None:
    with pytest.raises(ValueError, match="must be trained"):
        TrainSettings.model_validate({"from_scratch": "tiny", "tune": "head"})
