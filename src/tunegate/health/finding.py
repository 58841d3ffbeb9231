"""One thing that was looked at, and what to do about it; how another program is asked."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

COMMAND_SECONDS = 10


@dataclass(frozen=True)
class Finding:
    """`broken`: tunegate does not work until it is mended. `warning`: it works, with a limit that is said."""

    name: str
    state: Literal["ok", "warning", "broken"]
    what: str
    remedy: str = ""


def output_of(*command: str, where: Path | None = None) -> str:
    """What the program prints, or nothing when it is missing, fails or hangs."""
    try:
        done = subprocess.run(
            command, cwd=where, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=True, encoding="utf-8"
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
