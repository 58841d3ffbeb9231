"""A base model that has learnt nothing yet: a tokenizer, a config of a known family and size, and random weights."""

import json
from pathlib import Path
from typing import Any, Literal, get_args

from tunegate.models.folder import TOKENIZER
from tunegate.models.scratch import Size

Family = Literal["bert", "albert"]
FAMILIES: tuple[Family, ...] = get_args(Family)
SEED = 0  # pre-training draws its own weights from train.seed (train.from_scratch: own_shape), or goes on from these
POSITIONS = 512

_OWN = {
    # albert_config.json of Google's version 2: tables of 128 numbers a token, no dropout, gelu by tanh
    "albert": {
        "embedding_size": 128,
        "hidden_act": "gelu_new",
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "classifier_dropout_prob": 0.1,
    },
    "bert": {},
}


def write_fresh_model(folder: Path, tokenizer: Any, family: Family, size: Size) -> None:
    """A Hugging Face folder. `tokenizer`: a `tokenizers.Tokenizer` with [CLS], [SEP] and a padding token."""
    import torch
    import transformers

    from tunegate.models.loading import quiet

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / TOKENIZER))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": POSITIONS, **_marks(tokenizer)}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    config = transformers.AutoConfig.for_model(family, **_shape(tokenizer, size), **_OWN[family])
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(SEED)
        model: Any = transformers.AutoModel.from_config(config)  # type: ignore[no-untyped-call]
        model.save_pretrained(folder)


def _shape(tokenizer: Any, size: Size) -> dict[str, int]:
    return {
        "vocab_size": tokenizer.get_vocab_size(with_added_tokens=True),
        "hidden_size": size.width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "intermediate_size": 4 * size.width,
        "max_position_embeddings": POSITIONS,
        "pad_token_id": _id(tokenizer, "[PAD]", "<pad>"),
        "bos_token_id": _id(tokenizer, "[CLS]"),
        "eos_token_id": _id(tokenizer, "[SEP]"),
    }


def _id(tokenizer: Any, *names: str) -> int:
    return next(int(number) for name in names if (number := tokenizer.token_to_id(name)) is not None)


def _marks(tokenizer: Any) -> dict[str, str]:
    """What other programs call the special tokens."""
    names = {
        "pad": ("[PAD]", "<pad>"),
        "unk": ("[UNK]", "<unk>"),
        "cls": ("[CLS]",),
        "sep": ("[SEP]",),
        "mask": ("[MASK]",),
    }
    return {
        f"{role}_token": next(name for name in those if tokenizer.token_to_id(name) is not None)
        for role, those in names.items()
    }
