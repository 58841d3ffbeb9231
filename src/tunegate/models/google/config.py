"""Google's bert_config.json or albert_config.json as a Hugging Face config.json."""

import json
from pathlib import Path
from typing import Any

from tunegate.errors import UserError, did_you_mean

SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
)
ALBERT_SIZES = ("embedding_size", "num_hidden_groups", "inner_group_num")
RATES = ("hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range")
# Google's `gelu` is two functions: erf in the code that the BERTs of 2018 were trained with (as in every Hugging Face
# folder of them), the tanh approximation in ALBERT's.
ACTIVATIONS = {
    "bert": {"gelu": "gelu", "relu": "relu", "tanh": "tanh"},
    "albert": {"gelu": "gelu_new", "relu": "relu", "tanh": "tanh"},
}
IGNORED = {  # keys that Google's own code never reads
    "directionality",
    "pooler_fc_size",
    "pooler_num_attention_heads",
    "pooler_num_fc_layers",
    "pooler_size_per_head",
    "pooler_type",
    "net_structure_type",
    "gap_size",
    "num_memory_blocks",
    "down_scale_factor",
}
_DEFAULTS = {"num_hidden_groups": 1, "inner_group_num": 1, "type_vocab_size": 2, "max_position_embeddings": 512}
_LARGEST = 1 << 24  # of any size: the largest vocabulary known has a million rows
_MOST_LAYERS = 1000  # 24 are the most that Google published
_REMEDY = "Bring the config that was published with the checkpoint."


def read_google_config(path: Path, family: str) -> dict[str, Any]:
    """The config.json of the same model, without its `architectures`. Raises UserError."""
    given = _object(path)
    sizes = SIZES + (ALBERT_SIZES if family == "albert" else ())
    known = {*sizes, *RATES, "hidden_act"}
    for key in given:
        if key not in known | IGNORED:
            raise UserError(f"{path} says {key!r}, which nothing here knows.{did_you_mean(key, known)}", _REMEDY)
    config: dict[str, Any] = {"model_type": family}
    config |= {key: _size(path, key, given.get(key, _DEFAULTS.get(key))) for key in sizes}
    config |= {key: _rate(path, key, given[key]) for key in RATES if key in given}
    config |= {"hidden_act": _activation(path, family, given.get("hidden_act")), "layer_norm_eps": 1e-12}
    if config["hidden_size"] % config["num_attention_heads"]:
        raise UserError(
            f"{path}: hidden_size {config['hidden_size']} is no multiple of {config['num_attention_heads']} heads.",
            _REMEDY,
        )
    return {**config, "pad_token_id": 0, "dtype": "float32"}


def _object(path: Path) -> dict[str, Any]:
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON: {error}.", _REMEDY) from error
    if not isinstance(given, dict):
        raise UserError(f"{path} is not a JSON object.", _REMEDY)
    return given


def _size(path: Path, key: str, value: object) -> int:
    most = _MOST_LAYERS if key in ("num_hidden_layers", "num_hidden_groups", "inner_group_num") else _LARGEST
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
        raise UserError(f"{path}: {key} should be a whole number from 1 to {most:,}, not {json.dumps(value)}.", _REMEDY)
    return value


def _rate(path: Path, key: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1:
        raise UserError(f"{path}: {key} should be a number from 0 to 1, not {json.dumps(value)}.", _REMEDY)
    return float(value)


def _activation(path: Path, family: str, value: object) -> str:
    known = ACTIVATIONS[family]
    if not isinstance(value, str) or value not in known:
        raise UserError(f"{path}: hidden_act is {json.dumps(value)}; known are {', '.join(known)}.", _REMEDY)
    return known[value]
