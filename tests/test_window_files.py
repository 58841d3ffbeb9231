from pathlib import Path

import numpy as np
import pytest

from tests.test_windows import make
from tunegate.errors import UserError
from tunegate.window_files import load_windows, save_windows
from tunegate.windows import Windows


def test_windows_come_back_as_memory_maps_with_the_same_numbers(tmp_path: Path) -> None:
    windows = make([3, 1, 7])
    placed = Windows(**{**vars(windows), "positions": {"word": np.arange(11, dtype=np.int32)}})
    save_windows(placed, tmp_path)
    again = load_windows(tmp_path)
    assert isinstance(again.tokens["input_ids"], np.memmap)
    for kind in ("tokens", "positions"):
        assert getattr(again, kind).keys() == getattr(placed, kind).keys()
        assert all(np.array_equal(getattr(again, kind)[name], array) for name, array in getattr(placed, kind).items())
    for name in ("offsets", "record", "number", "dropped"):
        assert np.array_equal(getattr(again, name), getattr(placed, name))


def test_no_windows_at_all_are_saved_and_loaded(tmp_path: Path) -> None:
    save_windows(make([3]).take(np.array([], dtype=np.int64)), tmp_path)
    assert len(load_windows(tmp_path)) == 0


def test_the_same_windows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_windows(make([3, 1, 7]), tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_folder_is_said_and_how_to_mend_it(damage: str, tmp_path: Path) -> None:
    save_windows(make([3, 100, 7]), tmp_path)
    file = tmp_path / "tokens.input_ids.npy"
    content = file.read_bytes()
    file.unlink()
    if damage == "cut":
        file.write_bytes(content[:-8])
    else:
        (tmp_path / "offsets.npy").unlink()
    with pytest.raises(UserError, match="--force tokenize"):
        load_windows(tmp_path)
