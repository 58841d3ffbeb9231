"""Whether DVC's cache holds what its names say. DVC itself believes every write-protected file of the cache.

After a power cut an object may be half there under its final name; restored, it would be a stage's result for ever.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunegate.dvc.objects import FOLDER


def forget_damaged(repository: Any, outs: list[Any]) -> list[str]:
    """Take out of the cache what is not what its name says, of these outputs; what was taken out."""
    damaged = []
    for out in outs:
        for oid in _objects(repository.cache.local, str(out.hash_info.value) if out.hash_info else ""):
            path = Path(repository.cache.local.oid_to_path(oid))
            if path.is_file() and _md5(path) != oid.removesuffix(FOLDER):
                path.unlink()
                repository.state.hashes.pop(str(path))
                damaged.append(oid)
    return damaged


def _objects(cache: Any, oid: str) -> Iterator[str]:
    """The output's own object and, of a folder, its files'."""
    if not oid:
        return
    yield oid
    path = Path(cache.oid_to_path(oid))
    if not oid.endswith(FOLDER) or not path.is_file():
        return
    try:
        yield from (str(entry["md5"]) for entry in json.loads(path.read_bytes()))
    except (ValueError, KeyError, TypeError):
        return


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
