"""Whether a package is whole: asked once before any worker starts. A sentence and an exit status, no traceback."""

import sys
from pathlib import Path

from tunegate.bento import read_packaged
from tunegate.errors import TunegateError
from tunegate.service.room import checked_predictor


def main() -> None:
    """`argv[1]` is the folder `serving` of a Bento."""
    folder = Path(sys.argv[1])
    try:
        checked_predictor(folder, read_packaged(folder))
    except TunegateError as error:
        sys.stderr.write(f"tunegate: the service does not start. {error.problem}\n{error.remedy}\n")
        sys.exit(error.status)
