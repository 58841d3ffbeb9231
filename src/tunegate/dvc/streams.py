"""DVC's log lines go to the process's streams as they are now, not as they were when DVC was imported.

DVC binds its handlers at import, and colorama's wrapper with them. Whoever stands in for a stream at that moment (a
command's captured output) may be closed long before the process ends; the next line would then end DVC's work.
"""

import logging
import sys
from typing import Any, Literal, TextIO

LOGGERS = ("dvc", "dvc_objects", "dvc_data")


class CurrentStream:
    """A text stream that is always the process's present `stdout` or `stderr`."""

    def __init__(self, name: Literal["stdout", "stderr"]) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        stream: TextIO = getattr(sys, self._name)
        return getattr(stream, attribute)


def follow_streams() -> None:
    """Bind DVC's handlers to the present streams. Doing it again changes nothing."""
    from dvc.logger import LoggerHandler

    for name in LOGGERS:
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, LoggerHandler) and not isinstance(handler.stream, CurrentStream):
                handler.stream = CurrentStream("stderr" if handler.level >= logging.WARNING else "stdout")
