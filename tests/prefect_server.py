"""A real Prefect server, as a team has one beside its runs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
STARTUP_SECONDS = 180


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """The API's address while the block runs."""
    environment = {**os.environ, "PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    command = [sys.executable, "-m", "flows.server"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as process:  # type: ignore[call-overload]
        url = process.stdout.readline().strip()
        deadline = time.monotonic() + STARTUP_SECONDS
        while not _answers(url):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        yield url
        process.stdin.close()


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/health", timeout=5):
            return True
    except OSError:
        return False
