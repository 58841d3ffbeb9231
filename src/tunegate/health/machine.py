"""The machine: Python, ports, servers that the environment names, processor and graphics card."""

import os
import platform
import socket
from pathlib import Path

from tunegate.health.finding import Finding, output_of

OLDEST, NEWEST = (3, 11), (3, 13)
PORTS = {3000: "`tunegate serve` and `bentoml serve`", 4200: "`tunegate up`"}


def python_version(version: tuple[int, ...]) -> Finding:
    found = f"Python {'.'.join(map(str, version))}"
    if OLDEST <= version <= NEWEST:
        return Finding("python", "ok", f"{found} on {platform.system()} {platform.machine()}")
    return Finding(
        "python", "broken", f"{found} is not supported.", "Make the environment with Python 3.11, 3.12 or 3.13."
    )


def ports(own: int | None = None) -> Finding:
    """`own` is the one that this project's own server has."""
    busy = [f"{port} ({use})" for port, use in PORTS.items() if port != own and not port_is_free(port)]
    if busy:
        return Finding("ports", "warning", f"In use: {', '.join(busy)}.", "Name another one, for example --port 3001.")
    return Finding("ports", "ok", f"{' and '.join(map(str, PORTS))} are free")


def port_is_free(port: int) -> bool:
    """On loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def prefect_server() -> Finding:
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        return Finding("prefect", "ok", "no PREFECT_API_URL: a run starts a server of its own, under .tunegate/")
    from urllib.parse import urlsplit

    address = urlsplit(url)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        with socket.create_connection((address.hostname or "", port), timeout=3):
            return Finding("prefect", "ok", f"the server at {address.hostname}:{port} answers (PREFECT_API_URL)")
    except OSError as error:
        return Finding(
            "prefect",
            "broken",
            f"PREFECT_API_URL names {address.hostname}:{port}, which does not answer: {error}.",
            "Start that server, or unset PREFECT_API_URL.",
        )


def processor(flags: frozenset[str]) -> Finding:
    count = os.cpu_count() or 1
    if flags & {"avx512_bf16", "amx_bf16", "bf16"}:
        return Finding("cpu", "ok", f"{count} cores, bf16 in hardware: training and serving use it")
    return Finding("cpu", "ok", f"{count} cores, no bf16 in hardware: fp32 trains and serves (about half as fast)")


def cpu_flags() -> frozenset[str]:
    """From Linux's list; empty elsewhere."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    listed = next((line for line in lines if line.lower().startswith(("flags", "features"))), ":")
    return frozenset(listed.split(":", 1)[1].split())


def graphics_card() -> Finding:
    names = output_of("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader").splitlines()
    if not names:
        return Finding("gpu", "ok", "none found: training runs on the CPU")
    if not _torch_knows_cuda():
        return Finding(
            "gpu",
            "warning",
            f"{names[0]}, but torch is its CPU build: the GPU is not used.",
            "Install torch's CUDA build: pip install -c constraints.txt --force-reinstall torch",
        )
    return Finding("gpu", "ok", f"{len(names)}: {names[0]}; torch has CUDA")


def _torch_knows_cuda() -> bool:
    """From torch's own version file, so that torch need not be loaded."""
    from importlib.util import find_spec

    spec = find_spec("torch")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return any("cuda: Optional[str] = '" in _text(Path(folder) / "version.py") for folder in folders)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
