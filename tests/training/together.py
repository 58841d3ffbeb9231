"""One of the processes of a training in a team: `python -m tests.training.together FOLDER SIZE CHANGES [WHEN]`.

The first starts the others with the same command. CHANGES are settings as JSON; WHEN (`step:N`) is where the leader
kills itself, `helper:N` where the second process does. The leader leaves weights and scores in FOLDER."""

import json
import os
import signal
import sys
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.models.encoders import tiny_encoder
from tests.training.learning import COMPUTE, Learning, learning
from tunegate.training.team import Team
from tunegate.training.together import PLACE, joined, together


def main(folder: str, size: str, changes: str, when: str = "") -> None:
    if PLACE not in os.environ and not (Path(folder) / "base").is_dir():
        tiny_encoder("bert", Path(folder) / "base", layers=2)  # by one of them
    helper = [sys.executable, "-m", "tests.training.together", folder, size, changes, when]
    team: AbstractContextManager[Team] = joined() if PLACE in os.environ else together(helper, int(size), "cpu")
    with team as joint:
        work = learning(Path(folder), compute=replace(COMPUTE, team=joint), **json.loads(changes))
        kind, _, step = when.partition(":")
        if kind == ("step" if joint.leads else "helper"):
            _kill_at(work, int(step))
        run = work.fit()
        if joint.leads:
            write(Path(folder), work, run)


def _kill_at(work: Learning, step: int) -> None:
    progress: Any = work.training.progress
    progress.advance = lambda what, done, *_: done >= step and os.kill(os.getpid(), signal.SIGKILL)


def write(folder: Path, work: Learning, run: Any) -> None:
    from safetensors.torch import save_file

    save_file(
        {name: value.detach().clone() for name, value in work.model.named_parameters()}, folder / "end.safetensors"
    )
    said = {"losses": run.losses.tolist(), "scores": [score.validation_loss for score in run.scores]}
    (folder / "end.json").write_text(json.dumps({**said, "log": work.log.getvalue()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
