"""The two kinds of failure that are somebody's to mend, and the exit status of each.

    Exception
    └── TunegateError          a problem and a remedy, no traceback
        ├── UserError          the user's mistake: exit status 2
        ├── RefusedError       data or model over its limits: exit status 3
        ├── WaitingError       a person has to decide first: exit status 4
        └── OutsideError       a remote, worker or server failed: exit status 75

Everything else is a bug: it keeps its traceback and ends with exit status 1.
"""

import difflib
import errno
import os
from collections.abc import Iterable
from enum import IntEnum


class ExitStatus(IntEnum):
    """What the process's exit status says to the shell and to CI."""

    PASSED = 0
    BUG = 1
    MISTAKE = 2
    REFUSED = 3
    UNDECIDED = 4
    OUTSIDE = 75  # EX_TEMPFAIL of sysexits.h: trying again may help
    INTERRUPTED = 130  # 128 + SIGINT, as shells report it


class TunegateError(Exception):
    """One sentence on what is wrong and where, one on what to do."""

    status = ExitStatus.MISTAKE

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


class UserError(TunegateError):
    """The user can mend it: a file, a setting, an argument."""


class RefusedError(TunegateError):
    """The data or the model is over a limit that the user set."""

    status = ExitStatus.REFUSED


class WaitingError(TunegateError):
    """A named person has to decide before it goes on."""

    status = ExitStatus.UNDECIDED


class OutsideError(TunegateError):
    """Something outside failed: a remote, a worker, a server."""

    status = ExitStatus.OUTSIDE


ROOM = "Make room (`tunegate gc` says what may go), then run the same command again: what was finished is kept."
OF_MACHINE = {
    errno.ENOSPC: ROOM,
    errno.EDQUOT: ROOM,
    errno.EROFS: "Mount that file system writable, then run the same command again.",
}


def of_machine(error: BaseException | None) -> OutsideError | None:
    """What to say of a full disk or one that may not be written, however deep below; None of any other error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in OF_MACHINE:
            where = f": {error.filename}" if error.filename else ""
            return OutsideError(f"{error.strerror}{where}.", OF_MACHINE[error.errno])
        if type(error).__module__ == "sqlite3" and "disk is full" in str(error):
            return OutsideError(f"{os.strerror(errno.ENOSPC)}: {error}.", ROOM)
        error = error.__cause__ or error.__context__
    return None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean "x"?` for the nearest known name, or an empty string."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f' Did you mean "{near[0]}"?' if near else ""
