"""Every task on real data, from raw files to a packaged Bento: `python -m benchmarks.tasks --data FOLDER [NAME ...]`.

What is run stands in `tasks.yaml`; what came out is kept in `tasks.json`, from which `make docs` writes docs/tasks.md.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.path import BIN, Timing, clone, environment, timed
from tunegate.catalogue.fetching import MIRROR_VARIABLE

CASES = Path(__file__).with_name("tasks.yaml")
RESULTS = Path(__file__).with_name("tasks.json")


@dataclass(frozen=True)
class Case:
    """A real data set and how it is learnt from."""

    name: str
    what: str
    task: str
    data: str = ""  # a public set by name
    files: Mapping[str, str] = field(default_factory=dict)  # or: place in the folder -> place in the raw data
    settings: Mapping[str, Any] = field(default_factory=dict)
    entry: Mapping[str, Any] = field(default_factory=dict)  # the whole entry, where `tunegate new` is not asked
    published: str = ""
    why_not: str = ""  # the baseline is not beaten


def cases() -> dict[str, Case]:
    """By name, in the file's order."""
    from ruamel.yaml import YAML

    found = YAML(typ="safe").load(CASES)
    return {name: Case(name, **entry) for name, entry in found.items()}


def results() -> dict[str, dict[str, Any]]:
    """What was measured, by case; empty where nothing was."""
    return dict(json.loads(RESULTS.read_text(encoding="utf-8"))) if RESULTS.is_file() else {}


def main() -> None:
    known = cases()
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument(
        "--data", type=Path, default=Path(), help="a mirror of the data sets (docs/how-to/public-data.md)"
    )
    asked.add_argument(
        "--taken", type=Path, metavar="PROJECT", help="take what a finished project's reports say; no times"
    )
    asked.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)} (default: all)")
    given = asked.parse_args()
    if unknown := [name for name in given.names if name not in known]:
        raise SystemExit(f"There is no case {unknown[0]}. Choose from: {', '.join(known)}.")
    for name in given.names or known:
        if given.taken is not None:
            result = measured(given.taken, known[name], None)
        else:
            with tempfile.TemporaryDirectory() as folder:
                project = clone(Path(folder) / "project")
                _add(project, known[name], given.data.resolve())
                result = measured(project, known[name], timed(project, name))
        RESULTS.write_text(json.dumps({**results(), name: result}, indent=1) + "\n", encoding="utf-8")
        print(f"{name}: {result['metric']} {result['value']:.3f}, {result['verdict']}", flush=True)


def _add(project: Path, case: Case, folder: Path) -> None:
    """The pipeline's entry as `tunegate new` writes it, with the case's settings; or the case's own."""
    from ruamel.yaml import YAML

    variables = environment(project) | {MIRROR_VARIABLE: str(folder)}
    raw = project / "data" / "raw" / case.name if case.entry else project.parent / case.name
    for place, name in case.files.items():
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / place, raw / name)
    if case.entry:
        command = [str(BIN / "dvc"), "add", "-q", str(raw)]
    else:
        source = str(raw) if case.files else case.data
        command = [str(BIN / "tunegate"), "new", case.name, "--data", source, "--task", case.task, "--yes"]
    subprocess.run(command, cwd=project, env=variables, check=True)
    path = project / "params.yaml"
    params = YAML().load(path)
    if case.entry:
        params["pipelines"][case.name] = {"task": case.task, "data": case.name, "model": "models/minilm", **case.entry}
    entry = params["pipelines"][case.name]
    for section, changes in case.settings.items():
        entry[section] = {**entry.get(section, {}), **changes} if isinstance(changes, dict) else changes
    YAML().dump(params, path)


def measured(project: Path, case: Case, timing: Timing | None) -> dict[str, Any]:
    """What a finished run's reports say. Without a timing there are no minutes."""

    def said(stage: str) -> dict[str, Any]:
        return dict(json.loads((project / "reports" / case.name / f"{stage}.json").read_text(encoding="utf-8")))

    found, train, export = said("evaluate"), said("train"), said("export")
    primary, baseline, difference = found["primary"], found["baseline"], found["difference"]
    minutes = {} if timing is None else _minutes(timing)
    return {
        "metric": primary["name"],
        **{name: round(primary[name], 4) for name in ("value", "low", "high")},
        "higher_is_better": found["higher_is_better"],
        "baseline": baseline["model"],
        "baseline_value": round(baseline["value"], 4),
        "difference": [round(difference[name], 4) for name in ("low", "high")],
        "train_rows": train["rows"],
        "test_rows": found["rows"],
        **minutes,
        "megabytes": export["megabytes"],
        "verdict": said("gate")["verdict"],
        "machine": report.machine(),
        "day": datetime.now(UTC).date().isoformat(),
    }


def _minutes(timing: Timing) -> dict[str, float]:
    stages: Any = timing.answer["stages"]
    train = next(stage["seconds"] for stage in stages if stage["name"] == "train")
    return {"minutes": round(timing.wall / 60, 1), "train_minutes": round(train / 60, 1)}


if __name__ == "__main__":
    main()
