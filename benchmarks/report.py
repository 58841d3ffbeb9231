"""Results of benchmarks, kept in `RESULTS.md` with the machine that gave them."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = "# Results of the benchmarks\n\nEach section is one run on one machine; ratios hold within it.\n"


def append(title: str, how: str, table: Sequence[Sequence[str]], libraries: Sequence[str]) -> None:
    """One section at the end of RESULTS.md; the table's first row is its head."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else HEAD
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    day = datetime.now(UTC).date().isoformat()
    section = f"\n## {title} ({day})\n\n{how}\n\n{markdown(table)}\n{machine()}; {versions}.\n"
    RESULTS.write_text(text + section, encoding="utf-8")


def markdown(table: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |\n" for row in table]
    lines.insert(1, "|" + "---|" * len(table[0]) + "\n")
    return "".join(lines)


def machine() -> str:
    """The CPU, how many of its cores may be used, what it multiplies in hardware, and the Python."""
    name, flags = _cpu()
    features = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    python = platform.python_version()
    return f"{name} ({', '.join(features) or platform.machine()}), {cores} cores, {platform.system()}, Python {python}"


def _cpu() -> tuple[str, set[str]]:
    """Name and flags as Linux tells them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine(), set()
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return told.get("model name", platform.machine()), set(told.get("flags", "").split())
