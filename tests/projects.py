"""A small project on the spot: git, DVC and a pipeline whose stages are one-line shell commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tunegate.workspace import Workspace

QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

PIPELINE = """
stages:
  first:
    foreach: ${pipelines}
    do:
      cmd: mkdir -p data/${key}/first && cat data/raw/${item.data}/rows.csv > data/${key}/first/rows.csv
        && echo data > data/${key}/first/other.csv && mkdir -p reports/${key}
        && echo first > reports/${key}/first.md && echo '{"rows":1}' > reports/${key}/first.json
      deps: ["data/raw/${item.data}", src/tunegate/first.py]
      params:
        - data/${key}/inputs.json: [params.first]
      outs:
        - data/${key}/first
        - reports/${key}/first.md: {cache: false}
      metrics:
        - reports/${key}/first.json: {cache: false}
      meta: {pool: local, timeout: 60}
  second:
    foreach: ${pipelines}
    do:
      cmd: mkdir -p data/${key}/second && sh second.sh data/${key}/first/rows.csv data/${key}/second/out.txt
      deps: ["data/${key}/first/rows.csv", second.sh]
      params:
        - data/${key}/inputs.json: [params.second]
      outs: ["data/${key}/second"]
      meta: {retries: 1}
"""

SECOND = "echo working; tr a-z A-Z < $1 > $2\n"


def make_project(root: Path, pipelines: tuple[str, ...] = ("one",)) -> Workspace:
    """A committed clone-like folder. `second.sh` is the second stage's whole work and may be rewritten by a test."""
    workspace = Workspace(root.resolve())
    files = {
        "dvc.yaml": PIPELINE,
        "second.sh": SECOND,
        "src/tunegate/first.py": "# code of the first stage\n",
        ".gitignore": ".tunegate/\n",
        "params.yaml": "pipelines:\n" + "".join(f"  {name}: {{data: {name}}}\n" for name in pipelines),
        ".dvc/config": "[core]\n    analytics = false\n    autostage = false\n[cache]\n    type = copy\n",
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    for name in pipelines:
        workspace.raw(name).mkdir(parents=True)
        (workspace.raw(name) / "rows.csv").write_text(f"a row of {name}\n")
        write_inputs(workspace, name)
    git(root, "init", "-q")
    return workspace


def write_inputs(workspace: Workspace, pipeline: str, **params: object) -> None:
    values = {"first": {"size": 1}, "second": {"size": 1}, **params}
    workspace.inputs(pipeline).parent.mkdir(parents=True, exist_ok=True)
    workspace.inputs(pipeline).write_text(json.dumps({"params": values}))


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    command = ["git", *identity, *arguments]
    return subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True, env={**os.environ, **QUIET}
    ).stdout


def dvc(root: Path, *arguments: str) -> str:
    """DVC's own command line, with its caches inside the project."""
    environment = {**os.environ, "DVC_SITE_CACHE_DIR": str(root / ".tunegate" / "dvc"), "DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True, env=environment).stdout
