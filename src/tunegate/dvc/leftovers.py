"""What killed processes leave in DVC's lock of files, which would make it say "is busy" for ever.

DVC itself forgets processes that are gone, but takes for alive a dead one that nobody has waited for (usual in a
container, where process 1 waits for nobody) and any newer process that was given the same number.
"""

from pathlib import Path
from typing import Any


def clear_leftovers(repository: Any) -> None:
    """Take out the entries of dead processes."""
    from dvc.rwlock import RWLOCK_FILE, _edit_rwlock

    record = Path(repository.tmp_dir) / RWLOCK_FILE
    if not record.is_file():
        return
    written = record.stat().st_mtime
    hardlink = repository.config["core"].get("hardlink_lock", False)
    with _edit_rwlock(repository.tmp_dir, repository.fs, hardlink) as lock:
        for path, owner in list(lock["write"].items()):
            if not _alive(owner["pid"], written):
                del lock["write"][path]
        for path, owners in list(lock["read"].items()):
            lock["read"][path] = [owner for owner in owners if _alive(owner["pid"], written)]
            if not lock["read"][path]:
                del lock["read"][path]


def _alive(number: int, written: float) -> bool:
    """Whether the process that took the lock by the time `written` still lives."""
    import psutil

    try:
        process = psutil.Process(number)
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= written)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
