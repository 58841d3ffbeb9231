"""What an edit makes the next run redo, and what it must leave alone."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.e2e.project import Project
from tunegate.stages import STAGES

Edit = Callable[[Project], None]


def _comment(project: Project) -> None:
    project.edit("params.yaml", "pipelines:\n", "# a remark\npipelines:\n")


def _training_setting(project: Project) -> None:
    project.edit("params.yaml", "train: {", "train: {weight_decay: 0.02, ")


def _description(project: Project) -> None:
    project.edit("params.yaml", "    data: demo\n", "    data: demo\n    description: which room of the house\n")


def _row_of(split: str) -> Edit:
    def edit(project: Project) -> None:
        table = pq.read_table(project.root / f"data/demo/validate/{split}.parquet")
        text = table["text"][0].as_py()
        # An id of the same group of words: the row must keep its split, so its words only change case.
        project.edit("data/raw/demo/rows.csv", text, text.capitalize())

    return edit


def _label_spelling(project: Project) -> None:
    file = project.root / "data/raw/demo/rows.csv"
    file.write_text(file.read_text().replace(",kitchen\n", ",cooking\n"))


def _library(project: Project) -> None:
    """Another version of OpenVINO, as the metadata of installed packages tells it."""
    info = project.root / "src" / "openvino-9.9.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: openvino\nVersion: 9.9.9\n")


def _another_task(project: Project) -> None:
    folder = project.root / "src/tunegate/tasks/word_count"
    folder.mkdir()
    for part in ("__init__", "record", "encode", "answer"):
        (folder / f"{part}.py").write_text('"""Another task."""\n')
    project.edit("src/tunegate/tasks/__init__.py", "TASKS = {", 'TASKS = {\n    "word_count": "another task",')


def _metric(project: Project) -> None:
    project.edit(
        "src/tunegate/tasks/text_classification/answer.py",
        "occurs.sum(axis=0).astype(float))",
        "occurs.sum(axis=0).astype(float) + 0.0)",
    )


EVERYTHING = set(STAGES)
BEFORE_TRAIN = {"ingest", "validate", "augment", "tokenize"}
EDITS: dict[str, tuple[Edit, set[str], set[str]]] = {
    "a comment in params.yaml": (_comment, set(), EVERYTHING),
    "another task's module": (_another_task, set(), EVERYTHING),
    "a training setting": (_training_setting, {"train", "export", "evaluate"}, BEFORE_TRAIN),
    "the description": (_description, {"package"}, EVERYTHING - {"package"}),
    "a train row": (_row_of("train"), {"ingest", "validate", "augment"}, set()),
    "a test row": (_row_of("test"), {"ingest", "validate", "evaluate"}, {"tokenize", "train", "export"}),
    "a label's spelling": (_label_spelling, {"ingest", "validate", "train", "evaluate"}, set()),
    "a library's version": (_library, {"export", "evaluate"}, {*BEFORE_TRAIN, "train"}),
    "a metric's definition": (_metric, {"evaluate"}, {*BEFORE_TRAIN, "train"}),
}


FAST = {"a comment in params.yaml", "another task's module", "a test row"}
TIERS = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in EDITS]


@pytest.mark.parametrize("name", TIERS)
def test_an_edit_redoes_what_depends_on_it_and_nothing_else(name: str, project: Project) -> None:
    edit, must, must_not = EDITS[name]
    edit(project)
    states = project.states(status=None)
    redone = {stage for stage, state in states.items() if state != "unchanged"}
    assert must <= redone, states
    assert not redone & must_not, states


def test_a_dry_run_says_what_would_run_and_why_and_changes_nothing(project: Project) -> None:
    _training_setting(project)
    before = _contents(project.root)
    planned = project.json("run", "demo", "--dry-run")
    stale = {stage["name"]: stage for stage in planned["stages"] if stage["state"] != "unchanged"}
    assert "train" in stale and not BEFORE_TRAIN & set(stale)
    assert "train" in str(stale["train"]["why"])
    assert _contents(project.root) == before


def _contents(root: Path) -> dict[str, bytes]:
    folders = [root / "data" / "demo", root / "reports", root / "dvc.lock"]
    files = [path for folder in folders for path in ([folder] if folder.is_file() else folder.rglob("*"))]
    return {str(path): path.read_bytes() for path in files if path.is_file()}
