"""What `train.model_changes` may change: the settings of a base model's config, by name."""

import json
from collections.abc import Collection
from pathlib import Path

from tunegate.models.loading import FIXED


def unknown_changes(folder: Path, names: Collection[str]) -> dict[str, list[str]]:
    """Those of the names that the config has no setting for, each with all that it could be.

    A folder that is not there or holds no config says nothing: whoever loads the model does. transformers is loaded
    only for a name that config.json does not write out, which may still be a default of the architecture.
    """
    try:
        written = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(written, dict) or all(name in written and name not in FIXED for name in names):
        return {}
    known = [name for name in _defaults(folder) or names if name not in FIXED]
    return {name: known for name in names if name not in known}


def _defaults(folder: Path) -> dict[str, object]:
    """Every setting of the config; none where transformers cannot read it."""
    from transformers import AutoConfig

    try:
        return dict(AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False).to_dict())
    except (ValueError, OSError, KeyError):
        return {}
