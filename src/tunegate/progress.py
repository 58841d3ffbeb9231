"""The one progress interface: how far a long step is, shown as a bar, as plain lines, or passed on to the driver.

Which of the three is decided by where the output goes: `TUNEGATE_PROGRESS=json` (set by the driver) passes
machine-readable lines on, a terminal gets a bar, anything else a plain line every few seconds.
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from typing import Any, TextIO, TypeVar

Item = TypeVar("Item")

MARK = "\x1e"  # ASCII record separator: starts a progress line that the driver takes out of the log
SECONDS_BETWEEN_LINES = 5.0
SECONDS_BETWEEN_UPDATES = 0.5


@dataclass
class Progress:
    """Progress of one stage. `say` writes a line of the log; `advance` tells how far a step is."""

    stage: str
    stream: TextIO = field(default_factory=lambda: sys.stdout)
    started: dict[str, float] = field(default_factory=dict)
    told: float = 0.0

    def say(self, text: str) -> None:
        """One plain line of the log."""
        self._clear()
        print(f"{self.stage}: {text}", file=self.stream, flush=True)

    def advance(self, what: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` (`what` names the unit: rows, steps); at most a few lines a second get through."""
        now = time.monotonic()
        start = self.started.setdefault(what, now)
        interval = SECONDS_BETWEEN_LINES if self._plain() else SECONDS_BETWEEN_UPDATES
        if done < total and now - self.told < interval:
            return
        self.told = now
        left = (now - start) / done * (total - done) if done and now > start else None
        self._show(what, done, total, left, note)

    def relay(self, event: Mapping[str, Any]) -> None:
        """Show how far another process is, as it told it under `TUNEGATE_PROGRESS=json`."""
        now = time.monotonic()
        interval = SECONDS_BETWEEN_LINES if self._plain() else SECONDS_BETWEEN_UPDATES
        if event["done"] >= event["total"] or now - self.told >= interval:
            self.told = now
            self._show(event["what"], event["done"], event["total"], event["left"], event["note"])

    def track(self, items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
        """The items, telling after each how many are done."""
        count = total if total is not None else len(items) if isinstance(items, Sized) else 0
        for number, item in enumerate(items, start=1):
            yield item
            self.advance(what, number, max(count, number))

    def _plain(self) -> bool:
        return os.environ.get("TUNEGATE_PROGRESS") != "json" and not self.stream.isatty()

    def _show(self, what: str, done: int, total: int, left: float | None, note: str) -> None:
        if os.environ.get("TUNEGATE_PROGRESS") == "json":
            event = {
                "stage": self.stage,
                "what": what,
                "done": done,
                "total": total,
                "left": left,
                "note": note,
            }
            print(MARK + json.dumps(event), file=self.stream, flush=True)
            return
        remaining = f", {format_seconds(left)} left" if left is not None and done < total else ""
        line = f"{self.stage}: {done:,} of {total:,} {what}{remaining}{', ' + note if note else ''}"
        if self._plain():
            print(line, file=self.stream, flush=True)
        else:
            print(f"\r\x1b[2K{line}", end="\n" if done >= total else "", file=self.stream, flush=True)

    def _clear(self) -> None:
        if os.environ.get("TUNEGATE_PROGRESS") != "json" and self.stream.isatty():
            print("\r\x1b[2K", end="", file=self.stream)


def format_seconds(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
