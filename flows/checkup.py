"""What `tunegate doctor` says of what `tunegate up` keeps: does it answer, and does somebody watch over runs?"""

from collections.abc import Iterator
from pathlib import Path

from flows.alive import read_kept
from flows.api import Server
from flows.automations import NAMES
from tunegate.errors import OutsideError, TunegateError
from tunegate.health import Finding
from tunegate.workspace import Workspace

MOST = 200


def examine_kept(folder: Path) -> Iterator[Finding]:
    """Nothing in a folder without a project: that is said elsewhere."""
    try:
        kept = read_kept(Workspace.find(folder))
    except TunegateError:
        return
    if kept is None:
        yield Finding("up", "ok", "nothing is up: no schedules are followed (`tunegate up` starts them)")
        return
    try:
        found = {each["name"]: each["enabled"] for each in Server(kept.url).post("automations/filter", limit=MOST)}
    except OutsideError as error:
        yield Finding("up", "broken", error.problem, "See .tunegate/up/*.log; tunegate down, then tunegate up.")
        return
    restarts = ", ".join(f"{name} started again {number} x" for name, number in kept.restarts.items())
    yield Finding("up", "ok", f"{kept.page} answers{f' ({restarts})' if restarts else ''}")
    yield _automations(found)


def _automations(found: dict[str, bool]) -> Finding:
    missing = [name for name in NAMES if name not in found]
    if missing:
        return Finding("automations", "broken", f"Not installed: {', '.join(missing)}.", "`tunegate up` installs them.")
    off = [name for name in NAMES if not found[name]]
    if off:
        return Finding(
            "automations",
            "warning",
            f"Switched off: {', '.join(off)}.",
            "Switch them on in Prefect's page, Automations.",
        )
    return Finding("automations", "ok", f"{len(NAMES)} watch over lost and crashed runs")
