"""Layers, positions, tokens and adapters of a loaded model, for every family; each saved and read back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.models.encoders import FAMILIES, tiny_encoder, vocabulary_size
from tests.models.test_loading import HEAD, load
from tunegate.errors import UserError
from tunegate.models.freezing import encoder_layers, freeze, train_mode
from tunegate.models.inputs_wanted import InputsWanted
from tunegate.models.loading import Build, Loaded, load_base, load_finished, save_model
from tunegate.models.lora import Lora, merge

LORA = Lora(rank=4, alpha=8, dropout=0.0, targets=None)
IDS = torch.tensor([[2, 7, 8, 3, 9, 12]])
SEPARATE = [family for family in FAMILIES if family != "albert"]  # ALBERT's layers share their weights


def built(folder: Path, **changes: Any) -> Loaded:
    wanted = changes.get("inputs", InputsWanted())
    size = wanted.tokens if wanted.base_tokens else vocabulary_size(folder)
    return load_base(folder, HEAD, Build({"num_labels": 2}, {}, None, 0, **changes), size)


def logits(model: Any, ids: torch.Tensor = IDS) -> torch.Tensor:
    with torch.no_grad():
        answer: torch.Tensor = model.eval()(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    return answer


def read_back(model: Any, base: Path, folder: Path) -> Any:
    save_model(model, base / "tokenizer.json", folder)
    return load_finished(folder, HEAD)


@pytest.mark.parametrize("family", SEPARATE)
@pytest.mark.parametrize("kept", [2, (1, 3), (3,)])
def test_kept_layers_are_the_bases_own_and_all_that_is_left(
    family: str, kept: int | Sequence[int], tmp_path: Path
) -> None:
    base = tiny_encoder(family, tmp_path / "base", layers=3)
    whole, fewer = load(base).model, built(base, kept_layers=kept)
    chosen = range(1, kept + 1) if isinstance(kept, int) else kept
    layers = encoder_layers(fewer.model)
    for layer, number in zip(layers, chosen, strict=True):
        for one, other in zip(layer.parameters(), encoder_layers(whole)[number - 1].parameters(), strict=True):
            assert torch.equal(one, other)
    assert fewer.model.config.num_hidden_layers == len(layers)
    assert f"layers {', '.join(map(str, chosen))} of 3 are kept" in fewer.effects[0].what
    again = read_back(fewer.model, base, tmp_path / "saved")
    assert torch.equal(logits(fewer.model), logits(again)) and len(encoder_layers(again)) == len(layers)


def test_a_layer_that_is_not_there_and_layers_that_are_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="names layer 5, and the model has 3 layers"):
        built(tiny_encoder("bert", tmp_path / "bert"), kept_layers=[1, 5])
    with pytest.raises(UserError, match="layers share their weights"):
        built(tiny_encoder("albert", tmp_path / "albert"), kept_layers=1)


LONG = torch.tensor([[2, *([7, 8, 9] * 60), 3]])


@pytest.mark.parametrize("family", ["bert", "roberta", "albert", "electra"])
@pytest.mark.parametrize("how", ["tile", "interpolate"])
def test_a_lengthened_model_reads_long_windows_and_is_read_back_the_same(family: str, how: str, tmp_path: Path) -> None:
    base = tiny_encoder(family, tmp_path / "base")
    wanted = InputsWanted.model_validate({"positions": 200, "lengthening": how})
    whole, longer = load(base).model, built(base, inputs=wanted)
    answer = logits(longer.model, LONG)
    assert torch.isfinite(answer).all() and "200 positions where there were 6" in longer.effects[0].what
    assert torch.equal(answer, logits(read_back(longer.model, base, tmp_path / "saved"), LONG))
    if how == "tile":  # what the model read before it reads as before
        assert torch.equal(logits(whole), logits(longer.model))


def table(model: Any) -> torch.Tensor:
    weights: torch.Tensor = model.base_model.embeddings.position_embeddings.weight.detach()
    return weights


def test_tiles_repeat_the_table_and_stretching_keeps_its_ends_and_order(tmp_path: Path) -> None:
    base = tiny_encoder("roberta", tmp_path / "base")  # its first row belongs to padding: never copied
    old = table(load(base).model)
    tiled, stretched = (
        table(built(base, inputs=InputsWanted.model_validate({"positions": 126, "lengthening": how})).model)
        for how in ("tile", "interpolate")
    )
    assert len(old) == 64 and torch.equal(tiled, torch.cat([old, old[1:]]))
    assert torch.equal(stretched[:2], old[:2]) and stretched[-1].allclose(old[-1])
    assert stretched[1:].mean(0).allclose(old[1:].mean(0), atol=1e-2)
    assert stretched[3].allclose(old[1] + 2 * 62 / 125 * (old[2] - old[1]), atol=1e-6)


def test_a_model_without_a_table_of_positions_is_refused(tmp_path: Path) -> None:
    base = tiny_encoder("bert", tmp_path)
    model = load(base).model
    model.base_model.embeddings.position_embeddings = torch.nn.Identity()
    from tunegate.models.positions import lengthen

    with pytest.raises(UserError, match="has no table of positions to lengthen"):
        lengthen(model, 200, "tile")


@pytest.mark.parametrize("family", FAMILIES)
def test_new_tokens_start_as_the_mean_of_their_pieces(family: str, tmp_path: Path) -> None:
    base = tiny_encoder(family, tmp_path / "base")
    size = vocabulary_size(base)
    wanted = InputsWanted(base_tokens=size, kept_tokens=size, made_of=((7, 9), ()), vocabulary="extra_words")
    before, after = load(base).model, built(base, inputs=wanted)
    old, new = (model.get_input_embeddings().weight for model in (before, after.model))
    assert torch.equal(new[:size], old) and after.model.config.vocab_size == size + 2 == len(new)
    assert new[size].allclose((old[7] + old[9]) / 2) and new[size + 1].allclose(old.mean(0), atol=1e-7)
    assert torch.equal(logits(before), logits(after.model))
    assert torch.equal(logits(after.model), logits(read_back(after.model, base, tmp_path / "saved")))
    assert f"{size + 2} rows of embeddings where there were {size}" in after.effects[0].what


@pytest.mark.parametrize("family", FAMILIES)
def test_the_scores_of_a_masked_word_follow_the_tokens(family: str, tmp_path: Path) -> None:
    import transformers

    from tunegate.models.token_rows import remake_tokens

    base = tiny_encoder(family, tmp_path)
    model = transformers.AutoModelForMaskedLM.from_pretrained(base).eval()
    for name, value in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(value)
    size = vocabulary_size(base)
    with torch.no_grad():
        before = model(input_ids=IDS).logits
        remake_tokens(model, InputsWanted(base_tokens=size, kept_tokens=size, made_of=((7, 9),)))
        after = model(input_ids=IDS).logits
    assert after.shape[-1] == size + 1 and torch.equal(before, after[..., :size])
    assert after[..., size].allclose((before[..., 7] + before[..., 9]) / 2, atol=1e-5)


def disturbed(model: Any) -> Any:
    """As after some training: a fresh adapter does nothing."""
    torch.manual_seed(1)
    for name, value in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(value, std=5.0)
    return model


@pytest.mark.parametrize("family", FAMILIES)
def test_a_merged_model_answers_as_the_adapted_one_and_is_a_plain_one(family: str, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    base = tiny_encoder(family, tmp_path / "base")
    plain, loaded = load(base).model, built(base, lora=LORA)
    assert torch.equal(logits(plain), logits(loaded.model))  # one factor is 0 at first
    answer = logits(disturbed(loaded.model))
    assert not answer.allclose(logits(plain), atol=1e-3)
    assert merge(loaded.model) > 0
    assert logits(loaded.model).allclose(answer, atol=1e-6)
    assert {name for name, _ in loaded.model.named_parameters()} == {name for name, _ in plain.named_parameters()}
    assert logits(read_back(loaded.model, base, tmp_path / "saved")).allclose(answer, atol=1e-6)
    assert "lora" not in (tmp_path / "saved" / "config.json").read_text()


@pytest.mark.parametrize("family", FAMILIES)
def test_adapters_and_head_are_all_that_is_trained_and_layers_keep_their_dropout(family: str, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    model = built(tiny_encoder(family, tmp_path), lora=LORA).model
    freeze(model, "lora", 0)
    train_mode(model)
    prefix = f"{model.base_model_prefix}."
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    assert trained and all("lora_" in n or n.startswith(f"{prefix}pooler") or not n.startswith(prefix) for n in trained)
    assert all("lora_" not in name or name in trained for name, _ in model.named_parameters())
    assert all(module.training for module in encoder_layers(model).modules())
    assert not model.base_model.embeddings.training


def test_adapters_go_where_they_are_sent_or_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    base = tiny_encoder("bert", tmp_path)
    sent = built(base, lora=Lora(2, 4, 0.0, ("output.dense", "key"))).effects[0].what
    assert "9 matrices (dense, key) have adapters of rank 2" in sent
    with pytest.raises(UserError, match=r"train\.lora_targets.*querry.*|train\.lora_targets"):
        built(base, lora=Lora(2, 4, 0.0, ("querry",)))
