"""A git and DVC project whose stages are shell commands that leave what real ones leave, run by DVC itself."""

import contextlib
import json
import sys
from pathlib import Path

from tests.projects import git
from tests.versions.history import commit, introduce
from tunegate.dvc.settings import open_repository
from tunegate.dvc.tracking import track
from tunegate.exported import Manifest, write_manifest
from tunegate.inputs import Inputs
from tunegate.versions.references import current_references
from tunegate.versions.registry import read_registry
from tunegate.versions.runs import Ended, Run, StageTime, record, snapshot
from tunegate.workspace import Workspace

DVC_YAML = """\
stages:
  validate:
    foreach: [demo]
    do:
      cmd: mkdir -p data/demo/validate && cp data/raw/demo/rows.csv data/demo/validate/train.parquet
      deps: [data/raw/demo]
      outs: [data/demo/validate]
  train:
    foreach: [demo]
    do:
      cmd: mkdir -p data/demo/train && cp data/demo/validate/train.parquet data/demo/train/model
      deps: [data/demo/validate/train.parquet]
      outs: [data/demo/train]
  export:
    foreach: [demo]
    do:
      cmd: mkdir -p data/demo/export && cp fixed/manifest.json data/demo/train/model data/demo/export/
      deps: [data/demo/train, fixed/manifest.json]
      outs: [data/demo/export]
  gate:
    foreach: [demo]
    do:
      cmd: mkdir -p data/demo/gate reports/demo && cp fixed/gate.json reports/demo/gate.json
        && cp fixed/gate.json data/demo/gate/verdict.json
      deps: [data/demo/export, fixed/gate.json]
      outs: [data/demo/gate, {reports/demo/gate.json: {cache: false}}]
  package:
    foreach: [demo]
    do:
      cmd: PYTHON package.py
      deps: [data/demo/export, data/demo/gate/verdict.json, package.py]
      params: [{data/demo/inputs.json: [approval]}]
      outs: [data/demo/package, {reports/demo/package.json: {cache: false}}]
"""

PACKAGE = '''\
"""Packages what passed or was approved, as the real stage does."""
import hashlib, json
from pathlib import Path

verdict = json.loads(Path("data/demo/gate/verdict.json").read_text())
approval = json.loads(Path("data/demo/inputs.json").read_text()).get("approval")
let = approval is not None and approval["hash"] == verdict["hash"]
packaged = verdict["verdict"] == "PASS" or let and (verdict["verdict"] != "FAIL" or approval["what"] == "force")
out = Path("data/demo/package")
out.mkdir(parents=True)
number = hashlib.sha256(Path("data/demo/export/model").read_bytes() + json.dumps(verdict).encode()).hexdigest()[:12]
if packaged:
    (out / "bento").mkdir()
    (out / "bento" / "bento.yaml").write_text(f"name: demo\\nversion: {number}\\n")
print("packaging", packaged, flush=True)
report = {"packaged": packaged, "tag": f"demo:{number}" if packaged else None, "why": "said so"}
Path("reports/demo/package.json").write_text(json.dumps(report))
'''


def make_project(root: Path, verdict: str = "UNDECIDED", **params: object) -> Workspace:
    """Committed, not yet run. The verdict and its hash are what `fixed/gate.json` says; see `change`."""
    workspace = Workspace(root.resolve())
    files = {
        "dvc.yaml": DVC_YAML.replace("PYTHON", sys.executable),
        "package.py": PACKAGE,
        "params.yaml": "pipelines: {demo: {task: text_classification}}\n",
        ".gitignore": ".tunegate/\n",
        ".dvc/config": "[core]\n    analytics = false\n[cache]\n    type = copy\n",
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        "data/raw/demo/rows.csv": "one\n",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    git(root, "init", "-q", "-b", "main")
    introduce(root, "Anna")
    change(workspace, verdict=verdict)
    Inputs(pipeline="demo", params={"promote": "manual", "approve_own": True, **params}).write(workspace.inputs("demo"))
    track(workspace, workspace.raw("demo"))
    commit(root, "Start")
    return workspace


def change(
    workspace: Workspace,
    *,
    verdict: str = "UNDECIDED",
    rows: str | None = None,
    labels: tuple[str, ...] = ("a", "b"),
    name: str = "1",
) -> None:
    """Another verdict, other rows or other labels for the next run; `name` tells verdicts apart."""
    fixed = workspace.root / "fixed"
    fixed.mkdir(exist_ok=True)
    (fixed / "gate.json").write_text(json.dumps({"verdict": verdict, "hash": name.rjust(64, "0"), "checks": []}))
    empty = workspace.root / ".tunegate/manifest"
    empty.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(
        task="text_classification",
        labels=list(labels),
        max_length=8,
        engine="torch",
        precisions=["fp32"],
        inputs=[],
        outputs=[],
        files={},
    )
    write_manifest(empty, manifest)
    (fixed / "manifest.json").write_bytes((empty / "manifest.json").read_bytes())
    if rows is not None:
        (workspace.raw("demo") / "rows.csv").write_text(rows)


def run(workspace: Workspace, name: str = "demo-20260101-000000") -> Run:
    """What `tunegate run` does around the stages: references looked up, the tree kept, the run put on record."""
    inputs = Inputs.model_validate_json(workspace.inputs("demo").read_text())
    inputs.model_copy(update=current_references(workspace, "demo")).write(workspace.inputs("demo"))
    before = snapshot(workspace)
    _reproduce(workspace)
    gate, package = (json.loads(workspace.report("demo", stage).read_text()) for stage in ("gate", "package"))
    status = {"PASS": "passed", "FAIL": "refused"}.get(gate["verdict"], "undecided")
    ended = Ended(
        name, "demo", status, gate["verdict"], gate["hash"], package["tag"], (StageTime("train", "ran", 2.0),)
    )
    made = [workspace.root / "dvc.lock", workspace.inputs("demo"), workspace.report("demo", "gate").parent]
    made.append(workspace.inputs("demo").with_name(".gitignore"))
    return record(workspace, before, ended, made)


def _reproduce(workspace: Workspace) -> None:
    """`dvc repro`, without the seconds that its command takes to start."""
    repository = open_repository(workspace)
    try:
        with contextlib.chdir(workspace.root):  # or DVC takes the dvc.yaml of where the tests run
            repository.reproduce()
    finally:
        repository.close()


def as_stored(workspace: Workspace) -> None:
    """Put a shell command's Bento where the store keeps real ones: BentoML need not read it."""
    import hashlib

    for model in workspace.root.glob("data/demo/export/model"):
        verdict = json.loads((workspace.root / "data/demo/gate/verdict.json").read_text())
        number = hashlib.sha256(model.read_bytes() + json.dumps(verdict).encode()).hexdigest()[:12]
        place = workspace.state / "bentoml/bentos/demo" / number / "bento.yaml"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("in the store\n")


def versions(workspace: Workspace) -> list[str]:
    return [version.name for version in read_registry(workspace).versions]
