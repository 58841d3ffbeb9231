"""Edits that keep a file's size and time. DVC trusts those two; we also look at ctime, which nobody can set back."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tunegate.workspace import write_atomically

Seen = dict[str, int]
"""Path to the ctime in nanoseconds that the file had when DVC's record of its hash was last known to be true."""


def forget_touched(repository: Any, paths: Iterable[Path], record: Path) -> Seen:
    """Make DVC hash anew what changed its ctime since `record` was written. Returns what to `remember` afterwards."""
    known = _read(record)
    now: Seen = {}
    for path in paths:
        inside = dict(_ctimes(path))
        touched = [file for file, ctime in inside.items() if known.get(file) != ctime]
        for name in {*touched, *([str(path)] if touched else [])}:
            repository.state.hashes.pop(name)
        now.update(inside)
    return now


def ctimes(paths: Iterable[Path]) -> Seen:
    """As they are now, for files whose hashes are known to be fresh."""
    return {file: ctime for path in paths for file, ctime in _ctimes(path)}


def remember(seen: Seen, record: Path) -> None:
    """Call it after DVC has hashed: a file edited meanwhile has a newer ctime and is hashed again next time."""
    if _read(record) != seen:
        with suppress(OSError):  # a full disk: the files are hashed once more
            write_atomically(record, json.dumps(seen))


def _read(record: Path) -> Seen:
    try:
        return dict(json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}  # a lost record costs one more hash of each file


def _ctimes(path: Path) -> Iterator[tuple[str, int]]:
    if path.is_dir():
        for folder, _, names in os.walk(path):
            for name in names:
                file = os.path.join(folder, name)  # noqa: PTH118 - a Path per file of a large folder is slow
                yield file, os.lstat(file).st_ctime_ns
    elif path.exists():
        yield str(path), path.stat().st_ctime_ns
