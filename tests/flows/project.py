"""A small project whose stages have the table's names and shell commands for work."""

from pathlib import Path

from tests.projects import git
from tunegate.workspace import Workspace

STAGES = {
    "ingest": ("data/raw/${item.data}", "cp data/raw/${item.data}/rows.csv $out/rows.csv"),
    "validate": ("data/${key}/ingest/rows.csv", "sh validate.sh $out"),
    "train": ("data/${key}/validate/train.csv", "sh train.sh data/${key}/validate/train.csv $out"),
    "gate": ("data/${key}/train/model.txt", "echo decided > $out/verdict.json"),
}
READS = {"ingest": "params.ingest", "validate": "labels, previous", "train": "params.train", "gate": "params.gate"}
REPORTS = {
    "ingest": {"rows": 3},
    "validate": {"rows": 3, "quarantined": 1, "kept": {"train": 1, "test": 1}, "reasons": []},
    "train": {"steps": 3},
    "gate": {"verdict": "PASS", "checks": [{"name": "floor", "verdict": "PASS", "reason": "0.9 reaches 0.8"}]},
}
VALIDATE = """\
echo '{"accepted": true, "reasons": []}' > $1/verdict.json
echo '["a", "b"]' > $1/labels.json
echo facts > $1/facts.parquet
grep -v test data/one/ingest/rows.csv > $1/train.csv
"""
TRAIN = "echo epoch 1; cp $1 $2/model.txt\n"


def make_project(root: Path) -> Workspace:
    """One pipeline, `one`; `validate.sh` and `train.sh` are what those stages do and may be rewritten by a test."""
    import json

    blocks = ["stages:"]
    for name, (dependency, work) in STAGES.items():
        out = f"data/${{key}}/{name}"
        report = json.dumps(REPORTS[name])
        command = (
            f"mkdir -p {out} reports/${{key}} && {work.replace('$out', out)}"
            f" && cp fixed/{name}.json reports/${{key}}/{name}.json && echo '# {name}' > reports/${{key}}/{name}.md"
        )
        _write(root / f"fixed/{name}.json", report)
        blocks.append(
            f"  {name}:\n    foreach: ${{pipelines}}\n    do:\n      cmd: {command}\n"
            f'      deps: ["{dependency}", fixed/{name}.json]\n'
            f'      params: [{{"data/${{key}}/inputs.json": [{READS[name]}]}}]\n'
            f'      outs: ["{out}", {{"reports/${{key}}/{name}.md": {{cache: false}}}}]\n'
            f'      metrics: [{{"reports/${{key}}/{name}.json": {{cache: false}}}}]\n'
            f"      meta: {{retries: 1, retry_seconds: 0.1}}"
        )
    _write(root / "dvc.yaml", "\n".join(blocks) + "\n")
    _write(root / "params.yaml", "pipelines:\n  one: {task: text_classification, data: one, model: models/m}\n")
    _write(root / "validate.sh", VALIDATE)
    _write(root / "train.sh", TRAIN)
    _write(root / ".gitignore", ".tunegate/\n")
    _write(root / ".dvc/config", "[core]\n    analytics = false\n[cache]\n    type = copy\n")
    _write(root / "data/raw/one/rows.csv", "train 1\ntest 2\n")
    _write(root / "data/models/m/config.json", "{}")
    git(root, "init", "-q")
    return Workspace(root.resolve())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
