"""A project of its own in a temporary folder: this checkout's code, a small data set, a tiny BERT, real DVC and git."""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tiny import tiny_bert

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

SUBJECTS = {
    "garden": ("rake", "hose", "tulip", "spade", "hedge", "compost"),
    "kitchen": ("kettle", "pan", "ladle", "oven", "whisk", "teapot"),
    "travel": ("train", "hotel", "ticket", "luggage", "airport", "ferry"),
}
FRAMES = (
    "my {} is {} since {}", "please tell me about the {} {} {}", "the {} was {} on {}", "is a {} {} by {}",
    "nobody said the {} gets {} after {}", "i want one {} not {} until {}", "why is the {} so {} this {}",
)  # fmt: skip
MOODS = ("broken", "late", "lovely", "small", "expensive", "old", "heavy", "gone", "fine", "strange")
DAYS = ("monday", "tuesday", "friday", "sunday", "march", "june", "christmas", "noon")

PARAMS = """\
pipelines:
  demo:
    task: text_classification
    data: demo
    model: models/tiny
    split: {test: 0.3, validation: 0.15}
    tokenize: {max_length: 32}
    train: {epochs: 8, learning_rate: 2.0e-3, batch_size: 16, precision: fp32, threads: 1, checkpoint_steps: 5}
    evaluate: {latency_lengths: [16], latency_repeats: 5, resamples: 1000}
    gate: {floor: 0.8, baselines: [majority], margin: 0.05, max_calibration_error: null}
"""


@dataclass(frozen=True)
class Project:
    """The folder, and commands run in it as a person would. No `server`: every run starts Prefect's for itself."""

    root: Path
    server: str | None = None

    def start(self, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        """The command in the background, leader of its own session."""
        return subprocess.Popen(
            [str(BIN / "tunegate"), *arguments],
            cwd=self.root,
            env={**self.environment(), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_hear_ctrl_c,
        )

    def run(self, *arguments: str, status: int | None = 0, **variables: str) -> "subprocess.CompletedProcess[str]":
        """The command's result; its exit status must be `status` unless that is None."""
        process = self.start(*arguments, **variables)
        out, err = process.communicate(timeout=600)
        if status is not None:
            assert process.returncode == status, f"exit status {process.returncode}\n{out[-4000:]}\n{err[-4000:]}"
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def json(self, *arguments: str, status: int | None = 0, **variables: str) -> dict[str, Any]:
        """The one object that a command ends with under `--json`."""
        result = self.run(*arguments, "--json", status=status, **variables)
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    def states(self, *, status: int | None = 0, **variables: str) -> dict[str, str]:
        """A run's stages and how each ended."""
        summary = self.json("run", "demo", status=status, **variables)
        return {stage["name"]: stage["state"] for stage in summary["stages"]}

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "BENTOML_"))}
        shared = {"PREFECT_API_URL": self.server} if self.server else {}
        paths = {"PYTHONPATH": f"{self.root / 'src'}:{self.root}", "PATH": f"{BIN}:{os.environ['PATH']}"}
        return {**kept, **paths, **shared}

    def dvc(self, *arguments: str) -> None:
        subprocess.run([str(BIN / "dvc"), *arguments], cwd=self.root, check=True, capture_output=True)

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{path} does not hold {old!r}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def report(self, stage: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads((self.root / f"reports/demo/{stage}.json").read_text(encoding="utf-8"))
        return answer

    def copy(self, where: Path, server: str | None = None) -> "Project":
        """The same project elsewhere, with its cache and state, times kept."""
        shutil.copytree(self.root, where, symlinks=True)
        return Project(where, server)


def make_project(where: Path, rows: int = 420) -> Project:
    """A git and DVC project with the pipeline `demo`, committed, not yet run."""
    project = Project(where)
    _copy_code(where)
    write_rows(where / "data/raw/demo/rows.csv", make_rows(rows))
    tiny_bert(where / "data/models/tiny", [row["text"] for row in make_rows(rows)], hidden=64)
    (where / "params.yaml").write_text(PARAMS, encoding="utf-8")
    (where / ".dvc").mkdir(exist_ok=True)
    project.git("init", "-q", "-b", "main")
    project.git("config", "user.email", "tests@example.com")
    project.git("config", "user.name", "tests")
    project.git("config", "gc.auto", "0")
    project.dvc("add", "-q", "data/raw/demo", "data/models/tiny")
    project.git("add", "-A")
    project.git("commit", "-qm", "Start")
    return project


def make_rows(count: int) -> list[dict[str, str]]:
    """Rows that a bag of words reads well and that are all different."""
    rng = random.Random(7)
    rows: dict[str, dict[str, str]] = {}
    while len(rows) < count:
        label = rng.choice(sorted(SUBJECTS))
        text = rng.choice(FRAMES).format(rng.choice(SUBJECTS[label]), rng.choice(MOODS), rng.choice(DAYS))
        rows.setdefault(text, {"id": f"r{len(rows):04d}", "text": text, "label": label})
    return list(rows.values())


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=["id", "text", "label"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _copy_code(where: Path) -> None:
    """What git tracks or would track, without the example's data and the tests."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if name.startswith(("example-data/", "data/", "reports/", "tests/", "docs/")) or not (ROOT / name).is_file():
            continue
        target = where / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)


def _hear_ctrl_c() -> None:
    """A shell starts what it puts into the background deaf to SIGINT, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
