"""Windows on disk: a folder of `.npy` files, opened as memory maps, so that memory stays flat as data grows."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunegate.errors import UserError
from tunegate.windows import Windows

_COLUMNS = ("offsets", "record", "number", "dropped")


def save_windows(windows: Windows, folder: Path) -> None:
    """One file per array: `offsets.npy`, ..., `tokens.input_ids.npy`, ..., `positions.word.npy`, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _COLUMNS:
        np.save(folder / f"{name}.npy", getattr(windows, name), allow_pickle=False)
    for kind in ("tokens", "positions"):
        for name, array in getattr(windows, kind).items():
            np.save(folder / f"{kind}.{name}.npy", array, allow_pickle=False)


def load_windows(folder: Path) -> Windows:
    """The windows, their arrays mapped and read only where they are used. Raises UserError."""
    try:
        columns = {name: _open(folder / f"{name}.npy") for name in _COLUMNS}
        flat = {kind: _named(folder, kind) for kind in ("tokens", "positions")}
        return Windows(**flat, **columns)  # type: ignore[arg-type]
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder} does not hold whole tokens: {error}.", "Run the pipeline again with --force tokenize."
        ) from error


def _named(folder: Path, kind: str) -> dict[str, NDArray[np.int32]]:
    return {path.stem.removeprefix(f"{kind}."): _open(path) for path in sorted(folder.glob(f"{kind}.*.npy"))}


def _open(path: Path) -> NDArray[np.int32]:
    """numpy maps no empty file, and an empty split is allowed."""
    empty = np.load(path, allow_pickle=False, mmap_mode=None) if path.stat().st_size <= 128 else None
    array: NDArray[np.int32] = np.load(path, allow_pickle=False, mmap_mode="r") if empty is None else empty
    return array
