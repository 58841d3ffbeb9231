"""What is made of rows once and read in every epoch: an array in a file, read as a memory map."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tunegate.progress import Progress
from tunegate.training.compute import Compute


def kept_array(path: Path, write: Callable[[Path], None], compute: Compute, progress: Progress, what: str) -> Any:
    """The array in `path`; where there is none yet, what `write` leaves in the file that it is given.

    A resumed run need not make it again: the file gets its name when it is whole, and what is in it depends on the same
    inputs as the checkpoints beside it. `what` completes "... there from before".
    """
    import torch

    def make() -> None:
        if path.is_file():
            progress.say(f"{what} there from before ({path.name})")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        with torch.inference_mode(), compute.autocast():
            write(unfinished)
        unfinished.replace(path)

    compute.team.in_turn(make)
    return np.load(path, mmap_mode="r", allow_pickle=False)
