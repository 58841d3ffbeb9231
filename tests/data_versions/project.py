"""A project with a pipeline `demo` whose data is tracked and committed: real git, real DVC, no stage run yet."""

import csv
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.data_versions.tables import Row, row
from tunegate.dvc.tracking import track
from tunegate.workspace import Workspace

PARAMS = """\
pipelines:
  demo:
    task: text_classification
    data: demo
    model: models/tiny
    split: {test: 0.3, validation: 0.1}
"""
ROWS = [
    row(f"r{number:03d}", f"message {number} about the {('parcel', 'refund', 'lamp')[number % 3]}", "xyz"[number % 3])
    for number in range(60)
]


def make_project(root: Path, rows: Sequence[Row] = ROWS, *, params: str = PARAMS, file: str = "rows.csv") -> Workspace:
    workspace = Workspace(root.resolve())
    (root / "params.yaml").write_text(params)
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / ".gitignore").write_text(".tunegate/\n/data/models\n")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n    autostage = false\n")
    (root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    write_rows(workspace.raw("demo") / file, rows)
    git(root, "init", "-q", "-b", "main")
    for key, value in (("user.name", "Ann"), ("user.email", "ann@example.org"), ("gc.auto", "0")):
        git(root, "config", key, value)
    track(workspace, workspace.raw("demo"))
    git(root, "add", "-A")
    git(root, "commit", "-qm", "Start")
    return workspace


def write_rows(path: Path, rows: Sequence[Row], delimiter: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def git(root: Path, *arguments: str) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(
        ["git", *arguments], cwd=root, check=True, capture_output=True, text=True, env=environment
    ).stdout
