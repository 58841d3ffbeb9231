"""Which of Google's tensors is which weight of transformers' BertForPreTraining and AlbertForPreTraining.

Names as in google-research/bert and google-research/albert (modeling.py, run_pretraining.py). A dense layer's kernel is
[in, out] there and [out, in] here; the heads' `output_weights` stand as they are in both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

ENCODER, POOLER, WORDS, ORDER = "encoder", "pooler", "masked words", "sentence order"


@dataclass(frozen=True)
class Weight:
    """`shape` is that of Google's tensor; `part` says what is missing where it is missing."""

    google: str
    target: str
    shape: tuple[int, ...]
    part: str = ENCODER
    transposed: bool = False


def weights_of(config: Mapping[str, int], family: str) -> tuple[Weight, ...]:
    """Every weight of a model of this config, in the order of its layers."""
    return tuple(_bert(config) if family == "bert" else _albert(config))


def _bert(config: Mapping[str, int]) -> Iterator[Weight]:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    yield from _embeddings(config, "bert", hidden)
    for number in range(config["num_hidden_layers"]):
        google, ours = f"bert/encoder/layer_{number}", f"bert.encoder.layer.{number}"
        for name in ("query", "key", "value"):
            yield from _dense(f"{google}/attention/self/{name}", f"{ours}.attention.self.{name}", hidden, hidden)
        yield from _dense(f"{google}/attention/output/dense", f"{ours}.attention.output.dense", hidden, hidden)
        yield from _norm(f"{google}/attention/output/LayerNorm", f"{ours}.attention.output.LayerNorm", hidden)
        yield from _dense(f"{google}/intermediate/dense", f"{ours}.intermediate.dense", hidden, inner)
        yield from _dense(f"{google}/output/dense", f"{ours}.output.dense", inner, hidden)
        yield from _norm(f"{google}/output/LayerNorm", f"{ours}.output.LayerNorm", hidden)
    yield from _dense("bert/pooler/dense", "bert.pooler.dense", hidden, hidden, POOLER)
    yield from _heads(config, hidden, "cls.predictions", "cls.predictions.transform", "cls.seq_relationship")


def _albert(config: Mapping[str, int]) -> Iterator[Weight]:
    hidden, inner, size = config["hidden_size"], config["intermediate_size"], config["embedding_size"]
    yield from _embeddings(config, "albert", size)
    mapping = "encoder/embedding_hidden_mapping_in"
    yield from _dense(f"bert/{mapping}", f"albert.{mapping.replace('/', '.')}", size, hidden)
    for group in range(config["num_hidden_groups"]):
        for number in range(config["inner_group_num"]):
            google = f"bert/encoder/transformer/group_{group}/inner_group_{number}"
            ours = f"albert.encoder.albert_layer_groups.{group}.albert_layers.{number}"
            for name in ("query", "key", "value"):
                yield from _dense(f"{google}/attention_1/self/{name}", f"{ours}.attention.{name}", hidden, hidden)
            yield from _dense(f"{google}/attention_1/output/dense", f"{ours}.attention.dense", hidden, hidden)
            yield from _norm(f"{google}/LayerNorm", f"{ours}.attention.LayerNorm", hidden)
            yield from _dense(f"{google}/ffn_1/intermediate/dense", f"{ours}.ffn", hidden, inner)
            yield from _dense(f"{google}/ffn_1/intermediate/output/dense", f"{ours}.ffn_output", inner, hidden)
            yield from _norm(f"{google}/LayerNorm_1", f"{ours}.full_layer_layer_norm", hidden)
    yield from _dense("bert/pooler/dense", "albert.pooler", hidden, hidden, POOLER)
    yield from _heads(config, size, "predictions", "predictions", "sop_classifier.classifier")


def _embeddings(config: Mapping[str, int], ours: str, size: int) -> Iterator[Weight]:
    rows = {
        "word_embeddings": "vocab_size",
        "position_embeddings": "max_position_embeddings",
        "token_type_embeddings": "type_vocab_size",
    }
    for name, key in rows.items():
        yield Weight(f"bert/embeddings/{name}", f"{ours}.embeddings.{name}.weight", (config[key], size))
    yield from _norm("bert/embeddings/LayerNorm", f"{ours}.embeddings.LayerNorm", size)


def _heads(config: Mapping[str, int], size: int, words: str, transform: str, order: str) -> Iterator[Weight]:
    google = "cls/predictions"
    dense = f"{transform}.dense"
    yield from _dense(f"{google}/transform/dense", dense, config["hidden_size"], size, WORDS)
    yield from _norm(f"{google}/transform/LayerNorm", f"{transform}.LayerNorm", size, WORDS)
    yield Weight(f"{google}/output_bias", f"{words}.bias", (config["vocab_size"],), WORDS)
    yield Weight("cls/seq_relationship/output_weights", f"{order}.weight", (2, config["hidden_size"]), ORDER)
    yield Weight("cls/seq_relationship/output_bias", f"{order}.bias", (2,), ORDER)


def _dense(google: str, ours: str, taken: int, given: int, part: str = ENCODER) -> Iterator[Weight]:
    yield Weight(f"{google}/kernel", f"{ours}.weight", (taken, given), part, transposed=True)
    yield Weight(f"{google}/bias", f"{ours}.bias", (given,), part)


def _norm(google: str, ours: str, size: int, part: str = ENCODER) -> Iterator[Weight]:
    yield Weight(f"{google}/gamma", f"{ours}.weight", (size,), part)
    yield Weight(f"{google}/beta", f"{ours}.bias", (size,), part)
