"""The forward pass of google-research/bert and google-research/albert in numpy, float64, over Google's names."""

import math

import numpy as np

Array = np.ndarray


def forward(config: dict[str, object], variables: dict[str, Array], ids: Array, types: Array, mask: Array) -> dict:
    """`ids`, `types`, `mask` [rows, tokens]; gives hidden states, pooled, masked-word logits, order logits."""
    v = {name: value.astype(np.float64) for name, value in variables.items()}
    albert = "embedding_size" in config
    act = tanh_gelu if albert else erf_gelu
    e = "bert/embeddings/"
    x = v[e + "word_embeddings"][ids] + v[e + "token_type_embeddings"][types]
    x = norm(v, e + "LayerNorm", x + v[e + "position_embeddings"][: ids.shape[1]])
    away = (1.0 - mask[:, None, None, :]) * -10000.0
    heads = int(config["num_attention_heads"])
    layers = int(config["num_hidden_layers"])
    if albert:
        x = dense(v, "bert/encoder/embedding_hidden_mapping_in", x)
    for layer in range(layers):
        if not albert:
            s = f"bert/encoder/layer_{layer}/"
            a = norm(v, s + "attention/output/LayerNorm", x + attention(v, s + "attention", x, away, heads))
            x = norm(
                v, s + "output/LayerNorm", a + dense(v, s + "output/dense", act(dense(v, s + "intermediate/dense", a)))
            )
            continue
        group = int(layer / layers * int(config["num_hidden_groups"]))
        for inner in range(int(config["inner_group_num"])):
            s = f"bert/encoder/transformer/group_{group}/inner_group_{inner}/"
            a = norm(v, s + "LayerNorm", x + attention(v, s + "attention_1", x, away, heads))
            f = s + "ffn_1/intermediate/"
            x = norm(v, s + "LayerNorm_1", a + dense(v, f + "output/dense", act(dense(v, f + "dense", a))))
    pooled = np.tanh(dense(v, "bert/pooler/dense", x[:, 0]))
    t = "cls/predictions/transform/"
    words = norm(v, t + "LayerNorm", act(dense(v, t + "dense", x)))
    return {
        "hidden": x,
        "pooled": pooled,
        "words": words @ v[e + "word_embeddings"].T + v["cls/predictions/output_bias"],
        "order": pooled @ v["cls/seq_relationship/output_weights"].T + v["cls/seq_relationship/output_bias"],
    }


def dense(v: dict[str, Array], name: str, x: Array) -> Array:
    return x @ v[name + "/kernel"] + v[name + "/bias"]


def norm(v: dict[str, Array], name: str, x: Array) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * v[name + "/gamma"] + v[name + "/beta"]


def attention(v: dict[str, Array], name: str, x: Array, away: Array, heads: int) -> Array:
    rows, tokens, hidden = x.shape
    q, k, w = (
        dense(v, f"{name}/self/{part}", x).reshape(rows, tokens, heads, -1).transpose(0, 2, 1, 3)
        for part in ("query", "key", "value")
    )
    scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(hidden // heads) + away
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = (scores / scores.sum(-1, keepdims=True)) @ w
    return dense(v, f"{name}/output/dense", mixed.transpose(0, 2, 1, 3).reshape(rows, tokens, hidden))


def tanh_gelu(x: Array) -> Array:
    return x * 0.5 * (1.0 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def erf_gelu(x: Array) -> Array:
    return x * 0.5 * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0)))
