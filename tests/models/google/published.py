"""Checkpoints as Google publishes them, tiny and random: variables with the names and shapes of modeling.py."""

import json
import struct
from pathlib import Path

import numpy as np

from tests.models.bundles.writing import field, number, write_bundle

WORDS = ("the", "weather", "is", "fine", "today", ".", "##s", "a", "天", "气")
WORDPIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS)
SENTENCEPIECES = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]", "▁the", "▁weather", "▁is", "▁fine", "▁today", ".", "▁",
                  "1", ",", "1,", "2", "3")  # fmt: skip
BERT = {
    "attention_probs_dropout_prob": 0.1,
    "directionality": "bidi",
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 12,
    "initializer_range": 0.02,
    "intermediate_size": 20,
    "max_position_embeddings": 16,
    "num_attention_heads": 3,
    "num_hidden_layers": 2,
    "type_vocab_size": 2,
    "vocab_size": len(WORDPIECES),
}
ALBERT = {
    **{key: value for key, value in BERT.items() if key != "directionality"},
    "embedding_size": 8,
    "num_hidden_layers": 4,
    "num_hidden_groups": 2,
    "inner_group_num": 2,
    "net_structure_type": 0,
    "vocab_size": len(SENTENCEPIECES),
}


def dense(name: str, taken: int, given: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}/kernel": (taken, given), f"{name}/bias": (given,)}


def norm(name: str, size: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}/gamma": (size,), f"{name}/beta": (size,)}


def block(start: str, hidden: int, inner: int, names: tuple[str, str, str, str]) -> dict[str, tuple[int, ...]]:
    """Attention and feed-forward; `names`: of attention, its norm, the two dense layers."""
    attention, attention_norm, first, second = names
    shapes = {}
    for part in ("query", "key", "value"):
        shapes |= dense(f"{start}/{attention}/self/{part}", hidden, hidden)
    shapes |= dense(f"{start}/{attention}/output/dense", hidden, hidden) | norm(f"{start}/{attention_norm}", hidden)
    return shapes | dense(f"{start}/{first}", hidden, inner) | dense(f"{start}/{second}", inner, hidden)


def shapes_of(config: dict[str, object]) -> dict[str, tuple[int, ...]]:
    c = {key: value for key, value in config.items() if isinstance(value, int)}
    hidden, inner, size = c["hidden_size"], c["intermediate_size"], c.get("embedding_size", c["hidden_size"])
    shapes = {
        "bert/embeddings/word_embeddings": (c["vocab_size"], size),
        "bert/embeddings/position_embeddings": (c["max_position_embeddings"], size),
        "bert/embeddings/token_type_embeddings": (c["type_vocab_size"], size),
        **norm("bert/embeddings/LayerNorm", size),
    }
    if "embedding_size" in c:
        shapes |= dense("bert/encoder/embedding_hidden_mapping_in", size, hidden)
        for group in range(c["num_hidden_groups"]):
            for place in range(c["inner_group_num"]):
                start = f"bert/encoder/transformer/group_{group}/inner_group_{place}"
                names = ("attention_1", "LayerNorm", "ffn_1/intermediate/dense", "ffn_1/intermediate/output/dense")
                shapes |= block(start, hidden, inner, names) | norm(f"{start}/LayerNorm_1", hidden)
    else:
        for layer in range(c["num_hidden_layers"]):
            start = f"bert/encoder/layer_{layer}"
            names = ("attention", "attention/output/LayerNorm", "intermediate/dense", "output/dense")
            shapes |= block(start, hidden, inner, names) | norm(f"{start}/output/LayerNorm", hidden)
    shapes |= dense("bert/pooler/dense", hidden, hidden) | dense("cls/predictions/transform/dense", hidden, size)
    return shapes | {
        **norm("cls/predictions/transform/LayerNorm", size),
        "cls/predictions/output_bias": (c["vocab_size"],),
        "cls/seq_relationship/output_weights": (2, hidden),
        "cls/seq_relationship/output_bias": (2,),
    }


def random_variables(config: dict[str, object], seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(0, 0.4, shape).astype(np.float32) for name, shape in shapes_of(config).items()}


def slots(variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What training leaves in a checkpoint beside the weights."""
    left = {
        f"{name}/{slot}": np.zeros_like(value) for name, value in variables.items() for slot in ("adam_m", "adam_v")
    }
    return left | {"global_step": np.array(1_000_000, dtype=np.int64)}


def sentencepiece_model(pieces: tuple[str, ...] = SENTENCEPIECES, kind: int = 1) -> bytes:
    out = b""
    for place, piece in enumerate(pieces):
        score = struct.pack("<f", -float(place))
        out += field(1, field(1, piece.encode()) + number(2 << 3 | 5) + score + field(3, 3 if place < 5 else 1))
    return out + field(2, field(3, kind)) + field(3, field(1, b"nmt_nfkc"))


def publish(
    folder: Path, config: dict[str, object], variables: dict[str, np.ndarray] | None = None, *, training: bool = True
) -> dict[str, np.ndarray]:
    """The folder as it comes out of the archive; gives the variables."""
    folder.mkdir(parents=True, exist_ok=True)
    albert = "embedding_size" in config
    variables = random_variables(config) if variables is None else variables
    (folder / ("albert_config.json" if albert else "bert_config.json")).write_text(json.dumps(config))
    every = variables | (slots(variables) if training else {})
    write_bundle(folder / ("model.ckpt-best" if albert else "bert_model.ckpt"), every)
    if albert:
        (folder / "30k-clean.model").write_bytes(sentencepiece_model())
        (folder / "30k-clean.vocab").write_text("<pad>\t0\n")
    else:
        (folder / "vocab.txt").write_text("\n".join(WORDPIECES) + "\n")
    return variables
