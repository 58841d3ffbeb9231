"""A task of one's own: one package, one line in the table, the whole path from a raw file to an answer over HTTP."""

import csv
import json
import random
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import ROOT, Project, make_project
from tests.tiny import tiny_bert
from tunegate.bento.running import free_port

WORDS = {1: ("awful", "horrible", "cold"), 3: ("usual", "ordinary", "plain"), 5: ("lovely", "wonderful", "warm")}
THINGS = ("soup", "bread", "room", "bath", "garden", "walk", "music", "view", "coffee", "bed", "train", "street")
LINE = '    "stars": "stars from one to five for a review",\n'
PARAMS = """\
pipelines:
  reviews:
    task: stars
    data: reviews
    model: models/tiny
    split: {test: 0.3, validation: 0.15}
    tokenize: {max_length: 32}
    augment: {swap: 1}
    train: {epochs: 6, learning_rate: 2.0e-3, batch_size: 16, precision: fp32, threads: 1}
    export: {precisions: [fp32]}
    evaluate: {latency_lengths: [16], latency_repeats: 5, resamples: 1000}
    gate: {floor: 0.8, margin: 0.05, max_calibration_error: null}
"""


def reviews(count: int) -> list[dict[str, str]]:
    rng, rows = random.Random(3), dict[str, str]()
    while len(rows) < count:
        stars = rng.choice(sorted(WORDS))
        first, second = (f"{rng.choice(THINGS)} was {rng.choice(WORDS[stars])}" for _ in range(2))
        text = f"the {first} and the {second}"
        rows[text] = str(stars)
    return [{"review": text, "stars": stars} for text, stars in rows.items()]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project with the new task, and rows for it; nothing else of it is touched."""
    project = make_project(tmp_path_factory.mktemp("new") / "project", rows=30)
    package, cached = project.root / "src/tunegate/tasks/stars", shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tests/e2e/stars", package, ignore=cached)
    project.edit("src/tunegate/tasks/__init__.py", "TASKS = {\n", "TASKS = {\n" + LINE)
    rows = [*reviews(300), {"review": "six of them", "stars": "6"}]
    raw = project.root / "data/raw/reviews"
    raw.mkdir()
    with (raw / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["review", "stars"])
        writer.writeheader()
        writer.writerows(rows)
    shutil.rmtree(project.root / "data/models/tiny")
    tiny_bert(project.root / "data/models/tiny", [row["review"] for row in rows], hidden=64)
    (project.root / "params.yaml").write_text(PARAMS, encoding="utf-8")
    project.dvc("add", "-q", "data/raw/reviews", "data/models/tiny")
    project.git("add", "-A")
    project.git("commit", "-qm", "Stars")
    return project


@pytest.mark.slow
def test_a_new_task_runs_from_a_raw_file_to_an_answer_over_http(project: Project) -> None:
    changed = _changed(project.root)
    assert changed == {"src/tunegate/tasks/__init__.py", *(f"src/tunegate/tasks/stars/{part}.py" for part in PARTS)}
    summary = project.json("run", "reviews")
    assert summary["verdict"] == "PASS"
    rejects = json.loads((project.root / "reports/reviews/ingest.json").read_text(encoding="utf-8"))
    assert rejects["rejected"] == 1  # six stars
    port = free_port()
    server = project.start("serve", "reviews", "--port", str(port))
    try:
        answer = _ask(port, {"records": [{"review": "the soup was awful and the bed was horrible"}]})
        assert answer["answers"][0]["stars"] == 1
        with pytest.raises(urllib.error.HTTPError, match="422"):
            _ask(port, {"records": [{"text": "no such field"}]})
    finally:
        server.terminate()
        server.wait(timeout=60)


PARTS = ("__init__", "record", "encode", "answer")


def _changed(root: Path) -> set[str]:
    """Files of code that are others than in this checkout."""
    rooms = ("src", "flows", "scripts")
    files = [path for room in rooms for path in (root / room).rglob("*.py")]
    names = [path.relative_to(root).as_posix() for path in (*files, root / "dvc.yaml", root / "bentofile.yaml")]
    return {name for name in names if not (ROOT / name).is_file() or _differs(name, root)}


def _differs(name: str, root: Path) -> bool:
    return (ROOT / name).read_bytes() != (root / name).read_bytes()


def _ask(port: int, value: object) -> Any:
    """Once the service is ready."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/predict", json.dumps(value).encode(), {"content-type": "application/json"}
    )
    for _ in range(600):
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.2)
    raise TimeoutError
