"""The image's requirements with their hashes, from what pip would install: `python -m scripts.lock_image`.

For the Python and the machine that it runs on, which have to be the image's: Python 3.11 on x86-64. torch is left out,
because its build depends on the index that the image is built from, and with it what torch alone brings along.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FILE = ROOT / "deploy" / "image" / "requirements.txt"
EXTRAS = "lora,chinese,team,s3,ssh,webdav"
BUILD = ("hatchling",)  # what installs tunegate itself
LEFT_OUT = ("torch", "tunegate")
NOTICE = (
    "# Written by `python -m scripts.lock_image` from constraints.txt for Python 3.11 on Linux x86-64; do not edit.\n"
)


def main() -> None:
    lines = [_line(entry) for entry in _resolved() if _name(entry) not in LEFT_OUT]
    FILE.write_text(NOTICE + "".join(sorted(lines, key=str.lower)), encoding="utf-8")


def _resolved() -> list[dict[str, Any]]:
    """Every package that a fresh environment would get, with the file that pip chose for it."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    wanted = ["--constraint", str(ROOT / "constraints.txt"), f"{ROOT}[{EXTRAS}]", *BUILD]
    done = subprocess.run([*command, *wanted], check=True, capture_output=True, text=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)["install"]
    return found


def _name(entry: dict[str, Any]) -> str:
    return str(entry["metadata"]["name"])


def _line(entry: dict[str, Any]) -> str:
    sha256 = entry["download_info"]["archive_info"]["hashes"]["sha256"]
    return f"{_name(entry)}=={entry['metadata']['version']} --hash=sha256:{sha256}\n"


if __name__ == "__main__":
    main()
