"""A pre-training in a process of its own that kills itself with SIGKILL at a step: `python -m tests.stages.killed_words
FOLDER STEP`."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.stages.test_chain import learn_words
from tunegate.progress import Progress


def main(folder: str, step: str) -> None:
    advance = Progress.advance

    def killing(self: Progress, what: str, done: int, *more: Any) -> None:
        advance(self, what, done, *more)
        if what == "steps" and done >= int(step):
            os.kill(os.getpid(), signal.SIGKILL)

    Progress.advance = killing  # type: ignore[method-assign]
    learn_words(Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
