"""What orchestration costs beside bare `dvc repro`, and how long a kill costs: `python -m benchmarks.orchestration`.

A pipeline of four stages that do next to nothing, so that what is measured is the starting, looking and recording.
Both sides take turns on the same project within one run. Prefect's server runs beside it, as `tunegate up` keeps it.
"""

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import report
from tests.flows.project import STAGES, TRAIN, make_project
from tests.prefect_server import serving
from tests.projects import git
from tunegate.workspace import Workspace

BIN = Path(sys.executable).parent
PROGRAMS = {"dvc repro": ("dvc", "repro", "-q"), "tunegate run": ("tunegate", "run", "one")}


@dataclass(frozen=True)
class Took:
    """Seconds of one command: by the clock, and of the CPU, child processes included."""

    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "prefect") as url:
        workspace = _project(Path(folder) / "project", url)
        costs = _costs(workspace, url, arguments.repeats)
        recovery = _recovery(workspace, url, arguments.repeats)
    tables = [_cost_table(costs), _recovery_table(recovery)]
    print("\n".join(map(report.markdown, tables)))
    how = (
        f"`tunegate run` beside `dvc repro` on four one-line stages, medians of {arguments.repeats} turns, Prefect's "
        "server running beside; `per stage` is a quarter of all four changed without what nothing changed costs."
    )
    report.append("What orchestration costs", how, tables[0], ("dvc", "prefect"))
    how = "SIGKILL to the run in the middle of a stage; then the same command again, to its end."
    report.append("From a kill to recovered", how, tables[1], ("dvc", "prefect"))


def _project(root: Path, url: str) -> Workspace:
    workspace = make_project(root)
    for name in ("user.name", "user.email"):
        git(root, "config", name, "bench@example.org")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "Start")
    _took(workspace, url, "tunegate run")
    return workspace


def _costs(workspace: Workspace, url: str, repeats: int) -> dict[str, dict[str, list[Took]]]:
    """By what changed and program. Both see each change on the same files, one after the other."""
    changes: dict[str, Callable[[int], None]] = {
        "nothing": lambda _: None,
        "one stage": lambda turn: _change(workspace, ["train"], turn),
        "all four": lambda turn: _change(workspace, list(STAGES), turn),
    }
    costs: dict[str, dict[str, list[Took]]] = {what: {name: [] for name in PROGRAMS} for what in changes}
    turn = 0
    for _ in range(repeats):
        for what, change in changes.items():
            for name in PROGRAMS:
                turn += 1
                change(turn)
                costs[what][name].append(_took(workspace, url, name))
    return costs


def _change(workspace: Workspace, stages: list[str], turn: int) -> None:
    """The report that the stage copies, which it depends on: new each time, so that nothing is restored."""
    for stage in stages:
        path = workspace.root / "fixed" / f"{stage}.json"
        path.write_text(path.read_text().rstrip().removesuffix("}").partition(', "turn"')[0] + f', "turn": {turn}}}')


def _took(workspace: Workspace, url: str, name: str) -> Took:
    before, start = _cpu_seconds(), time.perf_counter()
    done = subprocess.run(
        [str(BIN / PROGRAMS[name][0]), *PROGRAMS[name][1:]],
        cwd=workspace.root,
        env=_environment(workspace, url),
        capture_output=True,
        check=False,
    )
    took = Took(time.perf_counter() - start, _cpu_seconds() - before)
    if done.returncode:
        raise SystemExit(f"{name} ended with {done.returncode}:\n{(done.stdout + done.stderr).decode()}")
    return took


def _environment(workspace: Workspace, url: str) -> dict[str, str]:
    own = {"PREFECT_API_URL": url, "DVC_SITE_CACHE_DIR": str(workspace.state / "dvc"), "DVC_NO_ANALYTICS": "1"}
    return {**os.environ, **own, "PATH": f"{BIN}:{os.environ['PATH']}"}


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _recovery(workspace: Workspace, url: str, repeats: int) -> list[tuple[float, Took]]:
    """Seconds until nothing of a killed run lives, and what the run after it took."""
    (workspace.root / "train.sh").write_text(
        "touch .tunegate/met; while [ -e .tunegate/hold ]; do sleep 0.02; done\n" + TRAIN
    )
    found = []
    for turn in range(repeats):
        _change(workspace, list(STAGES), 10_000 + turn)
        hold, met = workspace.state / "hold", workspace.state / "met"
        hold.touch()
        met.unlink(missing_ok=True)
        command = [str(BIN / "tunegate"), *PROGRAMS["tunegate run"][1:]]
        going = subprocess.Popen(
            command, cwd=workspace.root, env=_environment(workspace, url), stdout=subprocess.DEVNULL
        )
        while not met.exists():
            time.sleep(0.01)
        killed = time.perf_counter()
        going.send_signal(signal.SIGKILL)
        going.wait()
        while _living(workspace.root):
            time.sleep(0.01)
        gone = time.perf_counter() - killed
        hold.unlink()
        found.append((gone, _took(workspace, url, "tunegate run")))
    return found


def _living(root: Path) -> bool:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve().is_relative_to(root) and "Z" not in (process / "stat").read_text().split()[
                2
            ]:
                return True
        except OSError:
            continue
    return False


def _cost_table(costs: dict[str, dict[str, list[Took]]]) -> list[list[str]]:
    middle = {
        what: {name: Took(median(each.wall for each in took), median(each.cpu for each in took))
               for name, took in by_name.items()}
        for what, by_name in costs.items()
    }  # fmt: skip
    middle["per changed stage"] = {
        name: Took(*((getattr(middle["all four"][name], of) - getattr(middle["nothing"][name], of)) / len(STAGES)
                     for of in ("wall", "cpu")))
        for name in PROGRAMS
    }  # fmt: skip
    middle["per unchanged stage"] = {
        name: Took(*(getattr(middle["nothing"][name], of) / len(STAGES) for of in ("wall", "cpu"))) for name in PROGRAMS
    }
    table = [["changed", *(f"{name}, {unit}" for name in PROGRAMS for unit in ("s", "CPU s")), "ratio of CPU"]]
    for what, by_name in middle.items():
        bare, ours = by_name.values()
        cells = [f"{value:.2f}" for took in (bare, ours) for value in (took.wall, took.cpu)]
        table.append([what, *cells, f"{ours.cpu / bare.cpu:.1f}"])
    return table


def _recovery_table(found: list[tuple[float, Took]]) -> list[list[str]]:
    gone, after = median(each for each, _ in found), [took for _, took in found]
    wall, cpu = median(took.wall for took in after), median(took.cpu for took in after)
    return [
        ["", "seconds", "CPU seconds"],
        ["until nothing of the killed run lives", f"{gone:.2f}", ""],
        ["the next run, two of four stages left", f"{wall:.2f}", f"{cpu:.2f}"],
        ["from the kill to recovered", f"{gone + wall:.2f}", ""],
    ]


if __name__ == "__main__":
    main()
