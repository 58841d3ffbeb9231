"""DVC's run cache knows a stage's settings whole.

DVC names an entry by a hash of command, inputs and settings, and leaves out whatever is called `size` or `nfiles`:
facts of files that are told by their hash already, but also settings of these names, at any depth. A stage would be
restored from a run with another `vocabulary.size`. Here only the entries of files lose the two.
"""

from typing import Any

OF_FILES = ("deps", "outs")


def tell_settings_apart() -> None:
    """From now on, in this process. Names of entries without such settings stay DVC's own."""
    from dvc.stage import cache

    cache._get_cache_hash = hash_of_entry


def hash_of_entry(entry: dict[str, Any], key: bool = False) -> str:
    """In place of DVC's own; with `key` what the stage made counts by its paths alone."""
    from dvc.utils import dict_sha256
    from dvc_data.hashfile.meta import Meta

    if key:
        entry["outs"] = [out["path"] for out in entry.get("outs", [])]
    facts = {Meta.PARAM_SIZE, Meta.PARAM_NFILES}
    kept = {
        name: [_without(file, facts) for file in value] if name in OF_FILES else value for name, value in entry.items()
    }
    return str(dict_sha256(kept))


def _without(file: Any, facts: set[str]) -> Any:
    return {name: value for name, value in file.items() if name not in facts} if isinstance(file, dict) else file
