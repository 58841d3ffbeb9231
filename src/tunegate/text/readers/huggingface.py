"""Folders of Hugging Face `datasets`: which of their files hold rows, and which split each belongs to.

Two layouts: what `save_to_disk` writes (`state.json` beside Arrow files, `dataset_dict.json` above several splits),
and what the hub keeps (`data/train-00000-of-00001.parquet`).
"""

import json
import re
from pathlib import Path
from typing import Any

from tunegate.errors import UserError

HUB_FILE = re.compile(r"(?P<split>[a-z]+)-\d{5}-of-\d{5}(-[0-9a-f]{16})?\.parquet")
SPLIT_NAMES = {  # the hub's own synonyms
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
}


def is_left_over(path: Path) -> bool:
    """An Arrow file that is no part of the data set: `datasets` keeps results of `map` beside it."""
    state = path.parent / "state.json"
    if path.suffix != ".arrow" or not state.is_file():
        return False
    return path.name not in {entry.get("filename") for entry in _json(state).get("_data_files", [])}


def split_of(path: Path, source: str) -> str | None:
    """The split that the folder gives the file, in our words; None where it says nothing. Raises UserError."""
    named = _named_split(path)
    if named is None:
        return None
    if named not in SPLIT_NAMES:
        raise UserError(
            f'{source} belongs to the split "{named}", which is none of train, validation and test.',
            "Say what its rows are for with ingest.files, for example {"
            f'"{path.parent.name}/*": train}}, and leave out what is not needed.',
        )
    return SPLIT_NAMES[named]


def _named_split(path: Path) -> str | None:
    if match := HUB_FILE.fullmatch(path.name):
        return match["split"]
    if path.suffix != ".arrow":
        return None
    above = path.parent.parent / "dataset_dict.json"
    if above.is_file() and path.parent.name in _json(above).get("splits", []):
        return path.parent.name
    return None


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is damaged: {error}.", "Save the data set again.") from error
    return value if isinstance(value, dict) else {}
