"""What a worker needs, looked at before it takes any work: device, memory, disk, libraries, remotes."""

import shutil
from collections.abc import Iterator

from tunegate.dvc.objects import Objects
from tunegate.dvc.transfer import is_private
from tunegate.errors import TunegateError
from tunegate.health.finding import Finding, output_of
from tunegate.health.libraries import other_libraries
from tunegate.health.machine import graphics_card
from tunegate.inputs import read_inputs
from tunegate.versions.git import remote
from tunegate.versions.remotes import choose_remote
from tunegate.workspace import Workspace

MEMORY_GB, DISK_GB = 2.0, 5.0  # under which the training of a small encoder is likely to fail
FREE_SHARE = 0.5  # of a GPU's memory: with less, somebody else is at work on it


def worker_findings(workspace: Workspace, device: str) -> Iterator[Finding]:
    """`device` is cuda or cpu. With a broken one no stage could run here."""
    yield from _device(device)
    yield _memory()
    yield _disk(workspace)
    yield _libraries(workspace)
    yield _git_remote(workspace)
    yield _data_remote(workspace)


def _device(device: str) -> Iterator[Finding]:
    if device == "cpu":
        yield Finding("device", "ok", "the CPU, as asked for (--device cpu)")
        return
    card = graphics_card()
    if card.state == "ok" and not card.what.startswith("none"):
        yield Finding("device", "ok", card.what)
        yield from _card_memory()
        return
    remedy = card.remedy or "Look at `nvidia-smi`; to work on the CPU instead, start the worker with --device cpu."
    yield Finding("device", "broken", f"This worker is to have a CUDA device: {card.what}", remedy)


def _card_memory() -> Iterator[Finding]:
    """Of each card."""
    listed = output_of("nvidia-smi", "--query-gpu=memory.free,memory.total", "--format=csv,noheader,nounits")
    for number, line in enumerate(listed.splitlines()):
        free, total = (float(part) / 1024 for part in line.split(","))
        if free < FREE_SHARE * total:
            yield Finding(
                "gpu memory",
                "warning",
                f"Only {free:.1f} of {total:.1f} GB are free on GPU {number}: another program uses it.",
                "End that one (nvidia-smi names it), or expect smaller micro-batches.",
            )
        else:
            yield Finding("gpu memory", "ok", f"{free:.1f} of {total:.1f} GB are free on GPU {number}")


def _memory() -> Finding:
    import psutil

    free = psutil.virtual_memory().available / 1e9
    if free < MEMORY_GB:
        return Finding("memory", "warning", f"Only {free:.1f} GB of memory are free.", "End other programs.")
    return Finding("memory", "ok", f"{free:.1f} GB are free")


def _disk(workspace: Workspace) -> Finding:
    workspace.state.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(workspace.state).free / 1e9
    if free < DISK_GB:
        return Finding(
            "disk", "warning", f"Only {free:.1f} GB are free at {workspace.state}.", "TUNEGATE_STATE moves it."
        )
    return Finding("disk", "ok", f"{free:,.0f} GB are free at {workspace.state}")


def _libraries(workspace: Workspace) -> Finding:
    """Against the runs that are in this commit. What is asked later is compared again when it comes."""
    found = sorted(workspace.root.glob("data/*/inputs.json"))
    for path in found:
        for name, (wanted, here) in other_libraries(read_inputs(path)).items():
            return Finding(
                "libraries",
                "warning",
                f"{name} is {here} here, and {wanted} in {workspace.relative(path)}: such work will be refused.",
                "Install the versions of constraints.txt, or run once with the new ones where the runs are started.",
            )
    compared = f"as in {len(found)} inputs.json" if found else "no inputs.json in this commit to compare with"
    return Finding("libraries", "ok", compared)


def _git_remote(workspace: Workspace) -> Finding:
    try:
        upstream = choose_remote(workspace, None)
        remote(workspace.root, "ls-remote", "--quiet", upstream, "HEAD")
    except TunegateError as error:
        return Finding("git remote", "broken", error.problem, error.remedy)
    return Finding("git remote", "ok", f"{upstream} answers")


def _data_remote(workspace: Workspace) -> Finding:
    try:
        if is_private(workspace):
            return Finding(
                "data remote",
                "broken",
                "DVC's default remote is a folder of this clone alone: no work could reach it.",
                "Name the team's in .dvc/config (`dvc remote add --default`): docs/how-to/remotes.md.",
            )
        with Objects(workspace) as objects:
            objects.look()
            return Finding("data remote", "ok", f"{objects.default} answers")
    except TunegateError as error:
        return Finding("data remote", "broken", error.problem, error.remedy)
