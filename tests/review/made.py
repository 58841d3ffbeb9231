"""A project with a history to look at: real git, DVC, rows, models and reports; the stages' work is done beforehand.

Two runs of the pipeline `demo`: v1.0.0 of a trained model, then an undecided one of a model trained for two steps.
Rows, ids, labels, names and reasons of strangers try to break out of the page.
"""

import contextlib
import csv
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.projects import git
from tests.trained import PIPELINE, Trained, make_rows, make_trained
from tunegate.dvc.settings import open_repository
from tunegate.dvc.tracking import track
from tunegate.inputs import Inputs
from tunegate.releases.registering import register_run
from tunegate.versions.references import current_references
from tunegate.versions.registry import assign
from tunegate.versions.runs import Ended, Run, StageTime, record, snapshot
from tunegate.workspace import Workspace

SCRIPT = "<script>window.broken = 1</script>"
IMAGE = '"><img src=x onerror="window.broken = 1">'
BIDI = "safe \u202e txet lacimehc\u2066 \u2069"
HUGE = "lang " * 200_000
HOSTILE_LABEL = "</option></select><script>window.broken = 1</script>"

PARAMS = f"""\
pipelines:
  demo:
    task: text_classification
    data: demo
    model: models/tiny
    description: {json.dumps("small talk " + SCRIPT)}
    ingest: {{files: {{"train.csv": train, "validation.csv": validation, "test.csv": test}}}}
    validate:
      budget: 0.9
      labels: [food, weather]
      checks: {{LEAK_NEAR: {{action: "off"}}, DUP_NEAR: {{action: "off"}}, LENGTH_ODD: {{action: "off"}}}}
    tokenize: {{max_length: 32}}
    evaluate: {{latency_lengths: [8], latency_repeats: 5, resamples: 300}}
    gate: {{floor: 0.5, baselines: [], max_calibration_error: null}}
"""

STAGES = ("validate", "train", "export", "evaluate", "gate")
DVC_YAML = (
    "stages:\n"
    + "".join(
        f"""\
  {stage}:
    foreach: [demo]
    do:
      cmd: rm -rf data/demo/{stage} && cp -r .tunegate/work/data/demo/{stage} data/demo/{stage}
      deps: [round.txt, data/raw/demo]
      outs: [data/demo/{stage}]
"""
        for stage in STAGES
    )
    + """\
  package:
    foreach: [demo]
    do:
      cmd: PYTHON package.py
      deps: [data/demo/export, data/demo/gate, package.py]
      params: [{data/demo/inputs.json: [approval]}]
      outs: [data/demo/package, {reports/demo/package.json: {cache: false}}]
"""
)

PACKAGE = '''\
"""Packages what passed or was let through, as the real stage does."""
import json
from pathlib import Path

verdict = json.loads(Path("data/demo/gate/verdict.json").read_text())
approval = json.loads(Path("data/demo/inputs.json").read_text()).get("approval")
packaged = verdict["verdict"] == "PASS" or (approval is not None and approval["hash"] == verdict["hash"])
out = Path("data/demo/package")
out.mkdir(parents=True)
number = verdict["hash"][:12]
if packaged:
    (out / "bento").mkdir()
    (out / "bento/bento.yaml").write_text(f"name: demo\\nversion: {number}\\n")
    (out / "bento/README.md").write_text("# demo\\n<script>window.broken = 1</script>\\n")
report = {"packaged": packaged, "tag": f"demo:{number}" if packaged else None, "why": "said so"}
Path("reports/demo/package.json").write_text(json.dumps(report))
'''


@dataclass(frozen=True)
class Made:
    """The project; `undecided` is the second run."""

    workspace: Workspace
    undecided: Run

    @property
    def ref(self) -> str:
        """The undecided run, as addresses name it."""
        return self.undecided.commit[:12]

    def copy(self, where: Path) -> "Made":
        shutil.copytree(self.workspace.root, where, symlinks=True)
        return Made(Workspace(where.resolve()), self.undecided)


def make(root: Path, judged: Trained) -> Made:
    """Takes some ten seconds."""
    workspace = Workspace(root.resolve())
    _write_project(workspace)
    work = Trained(Workspace(workspace.state / "work"))
    shutil.copytree(judged.workspace.root, work.workspace.root)
    _stages(workspace, work, ("ingest", "validate", "evaluate"), 0.5)
    first = _run(workspace, work, "quiet-otter", 1)
    version = register_run(workspace, first, workspace).version
    assign(workspace, version, "staging", who=f"Eve {IMAGE}", why=f"a look {SCRIPT}")
    second = make_trained(workspace.state / "second", steps=2)
    for stage in ("train", "export"):
        shutil.rmtree(work.workspace.stage(PIPELINE, stage), ignore_errors=True)
    shutil.copytree(second.model, work.model)
    _stages(workspace, work, ("export", "evaluate"), None)
    found = _run(workspace, work, "calm-heron", 2)
    assert found.ended.verdict == "UNDECIDED"
    return Made(workspace, found)


def _write_project(workspace: Workspace) -> None:
    files = {
        "dvc.yaml": DVC_YAML.replace("PYTHON", sys.executable),
        "package.py": PACKAGE,
        "params.yaml": PARAMS,
        ".gitignore": ".tunegate/\n",
        ".dvc/config": "[core]\n    analytics = false\n    autostage = false\n[cache]\n    type = copy\n",
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        "round.txt": "0\n",
    }
    for name, content in files.items():
        (workspace.root / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace.root / name).write_text(content)
    _write_rows(workspace.raw("demo"))
    git(workspace.root, "init", "-q", "-b", "main")
    for key, value in (("user.name", "Anna"), ("user.email", "anna@example.org"), ("gc.auto", "0")):
        git(workspace.root, "config", key, value)
    track(workspace, workspace.raw("demo"))
    git(workspace.root, "add", "-A")
    git(workspace.root, "commit", "-qm", f"Start {SCRIPT}")


def _write_rows(folder: Path) -> None:
    """The rows that the model was trained and tested on, and hostile ones in every file."""
    texts = make_rows(144)
    parts = {"train": texts[:48], "validation": texts[48:96], "test": texts[96:]}
    for split, rows in parts.items():
        numbered = [{"id": f"{split}-{number}", **row} for number, row in enumerate(rows)]
        _write_csv(folder / f"{split}.csv", [*numbered, *_hostile(split)])


def _hostile(split: str) -> list[dict[str, str]]:
    rows = [
        {"id": f"{split} {SCRIPT}", "text": f"rain {IMAGE} tonight {split}", "label": "weather"},
        {"id": f"{split} {BIDI}", "text": f"bread and {BIDI} {split}", "label": "food"},
        {"id": f"{split}-script", "text": f"{SCRIPT} soup with salt {split}", "label": "food"},
    ]
    if split == "train":
        rows += [
            {"id": "huge", "text": HUGE, "label": "food"},
            {"id": "empty", "text": "  ", "label": "food"},
            {"id": f"mojibake {IMAGE}", "text": f"trÃ¨s gÃªnant {SCRIPT}", "label": "weather"},
            {"id": "label-1", "text": "a label that breaks out", "label": HOSTILE_LABEL},
            {"id": "label-2", "text": "another label that breaks out", "label": HOSTILE_LABEL},
        ]
    return rows


def _write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=["id", "text", "label"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _stages(workspace: Workspace, work: Trained, stages: tuple[str, ...], floor: float | None) -> None:
    """Do the stages' work on the project's raw data. No floor: the one that cannot be decided, the score itself."""
    raw = work.workspace.raw("demo")
    if raw.exists():
        shutil.rmtree(raw)
    shutil.copytree(workspace.raw("demo"), raw)
    _write_inputs(workspace, work.workspace, {"floor": floor or 0.5})
    for stage in stages:
        report = work.run(stage)
    _write_inputs(workspace, work.workspace, {"floor": floor or report.primary.value})
    work.run("gate")
    trained = {
        "epochs": [{"train_loss": 0.9, "validation_loss": 0.8}, {"train_loss": 0.4, "validation_loss": 0.5}],
        "weights_sha256": "ab" * 32,
    }
    work.workspace.report(PIPELINE, "train").write_text(json.dumps(trained))
    curves = "step,train_loss\n" + "".join(f"{step},{1 / step}\n" for step in range(1, 9))
    (work.workspace.stage(PIPELINE, "train") / "curves.csv").write_text(curves)


def _write_inputs(workspace: Workspace, work: Workspace, gate: dict[str, Any]) -> None:
    from tunegate.params_file import load_pipelines
    from tunegate.tasks import options_of

    settings = load_pipelines(workspace.params, options_of)["demo"].model_dump(mode="json", by_alias=True)
    settings["gate"] |= gate
    versions = dict.fromkeys(("torch", "transformers", "tokenizers", "openvino", "pyarrow"), "1")
    Inputs(pipeline="demo", params=settings, environment=versions, **_references(workspace)).write(work.inputs("demo"))


def _references(workspace: Workspace) -> dict[str, Any]:
    """None is in production, so nothing is compared while evaluating."""
    return dict.fromkeys(current_references(workspace, "demo"))


def _run(workspace: Workspace, work: Trained, name: str, number: int) -> Run:
    """Put the stages' work into the project through DVC, and the run on record."""
    (workspace.root / "round.txt").write_text(f"{number}\n")
    inputs = work.workspace.inputs("demo").read_text()
    workspace.inputs("demo").parent.mkdir(parents=True, exist_ok=True)
    workspace.inputs("demo").write_text(inputs)
    before = snapshot(workspace)
    shutil.copytree(work.workspace.root / "reports/demo", workspace.root / "reports/demo", dirs_exist_ok=True)
    repository = open_repository(workspace)
    try:
        with contextlib.chdir(workspace.root):
            repository.reproduce()
    finally:
        repository.close()
    gate = json.loads(workspace.report("demo", "gate").read_text())
    package = json.loads(workspace.report("demo", "package").read_text())
    _store(workspace, gate["hash"][:12])
    status = {"PASS": "passed", "FAIL": "refused"}.get(gate["verdict"], "undecided")
    ended = Ended(
        name, "demo", status, gate["verdict"], gate["hash"], package["tag"], (StageTime("train", "ran", 2.0),)
    )
    made = [workspace.root / "dvc.lock", workspace.inputs("demo"), workspace.root / "reports/demo"]
    return record(workspace, before, ended, made)


def _store(workspace: Workspace, number: str) -> None:
    """As if BentoML had stored what the script packages: it is no real Bento."""
    place = workspace.state / "bentoml/bentos/demo" / number / "bento.yaml"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("in the store\n")
