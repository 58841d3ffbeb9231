"""A stage on a worker: in another clone, from an empty cache, for a driver that only hands it over."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.flows.test_run import ask
from tests.orchestration.team import make_team, pool_of, worker
from tests.projects import git
from tunegate.dvc.settings import open_repository
from tunegate.workspace import Workspace

DRIVER = """
import sys
from tunegate.cli import run_command
status = run_command(["run", "one", "--json"])
print(*(name for name in ("torch", "transformers") if name in sys.modules), status)
"""


def objects(clone: Path) -> set[bytes]:
    """The content of everything in the clone's DVC cache."""
    return {path.read_bytes() for path in (clone / ".dvc/cache/files").rglob("*") if path.is_file()}


def refs(shared: Path) -> set[str]:
    return set(git(shared, "for-each-ref", "--format=%(refname)", "refs/tunegate").split())


def test_a_stage_runs_on_a_worker_that_pulls_just_what_it_reads(tmp_path: Path, server: str) -> None:
    driver = make_team(tmp_path)
    with worker(tmp_path, server):
        done = subprocess.run(
            [sys.executable, "-c", DRIVER],
            cwd=driver.root,
            env={**os.environ, "PREFECT_API_URL": server},
            capture_output=True,
            text=True,
            timeout=240,
            check=True,
        )
    *_, answer, last = done.stdout.splitlines()
    assert last == "0", done.stderr  # no torch, no transformers, passed
    assert {stage["state"] for stage in json.loads(answer)["stages"]} == {"ran"}
    assert "train: epoch 1" in done.stderr.splitlines()
    assert (driver.stage("one", "train") / "model.txt").read_text() == "train 1\n"
    assert (tmp_path / "worker/.dvc/cache").is_dir() and not (tmp_path / "worker/data/one").exists()

    brought = objects(tmp_path / "worker")
    made = {b"train 1\n", b"# train\n", (driver.root / "fixed/train.json").read_bytes()}
    read = [content for content in brought if content not in made and b"model.txt" not in content]
    names = sorted(entry["relpath"] for content in read if content.startswith(b"[") for entry in json.loads(content))
    assert names == ["facts.parquet", "labels.json", "train.csv", "verdict.json"]  # the listing alone names the others
    assert len(read) == 1  # of the files just train.csv, whose bytes are those of the model: no second object

    runs = ask(server, "flow_runs", flow_runs={"tags": {"all_": [f"pool:{pool_of(tmp_path)}"]}})
    (asked,) = [run for run in runs if run["name"].startswith("train@one")]
    assert asked["parameters"].keys() == {"commit", "stage", "pipeline"}
    assert refs(tmp_path / "shared.git") == set()
    assert git(driver.root, "check-ignore", "data/one/train/model.txt")  # or the next tree would hold the weights
    repository = open_repository(Workspace(driver.root))
    assert not repository.status()
    repository.close()
