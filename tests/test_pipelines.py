"""Names in params.yaml that the task or the base model must know."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tunegate.errors import UserError
from tunegate.pipelines import pipelines_of
from tunegate.tasks import TASKS
from tunegate.workspace import Workspace

GOOD = f"pipelines:\n  shop:\n    task: {next(iter(TASKS))}\n    data: shop\n    model: models/m\n"
CONFIG = {"model_type": "bert", "num_hidden_layers": 4, "vocab_size": 100}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = tmp_path / "data/models/m"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    return Workspace(tmp_path)


def complaint(workspace: Workspace, lines: str) -> str:
    workspace.params.write_text(GOOD + lines, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        pipelines_of(workspace)
    return caught.value.problem


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            "    ingest:\n      columns: {lable: team}\n",
            'params.yaml:7: pipelines.shop.ingest.columns.lable is no field of a record. Did you mean "label"?',
        ),
        (
            "    gate:\n      floor: 0.5\n      baselines: [majorty]\n",
            'pipelines.shop.gate.baselines.0 is no baseline: "majorty". Did you mean "majority"?',
        ),
        (
            "    train:\n      model_changes:\n        num_hidden_layer: 2\n",
            "params.yaml:8: pipelines.shop.train.model_changes.num_hidden_layer is nothing to change in "
            'data/models/m/config.json. Did you mean "num_hidden_layers"?',
        ),
        (
            "    train: {model_changes: {vocab_size: 5}}\n",
            "params.yaml:6: pipelines.shop.train.model_changes.vocab_size",
        ),
        (
            "    validate: {labels: [business, sports]}\n    gate:\n      critical_slices: [label=busines]\n",
            "params.yaml:8: pipelines.shop.gate.critical_slices.0 names no label of validate.labels: "
            '"busines". Did you mean "business"?',
        ),
        (
            "    evaluate:\n      behaviour: tests/none.yaml\n",
            "params.yaml:7: pipelines.shop.evaluate.behaviour names tests/none.yaml, which is not there.",
        ),
    ],
)
def test_a_name_that_nobody_knows_is_named_with_its_line_and_the_nearest(
    workspace: Workspace, lines: str, said: str
) -> None:
    told = complaint(workspace, lines)
    assert said in told and "has 1 mistake" in told


def test_all_mistakes_are_told_at_once(workspace: Workspace) -> None:
    lines = (
        "    ingest: {columns: {txt: a, tex: b}}\n    gate: {baselines: [tfid]}\n    train: {model_changes: {x: 1}}\n"
    )
    assert "has 4 mistakes" in complaint(workspace, lines)


@pytest.mark.parametrize(
    "lines",
    [
        "    ingest: {columns: {text: body, id: number, group: customer}}\n    gate: {baselines: [tfidf]}\n",
        "    train: {model_changes: {num_hidden_layers: 2}}\n",
        "    train: {model_changes: {hidden_dropout_prob: 0.2}}\n",  # a default of the architecture
        "    validate: {labels: [a, b]}\n    gate: {critical_slices: [label = a, source=x.csv]}\n",
        "    gate: {critical_slices: [label=any]}\n    evaluate: {behaviour: data/models/m/config.json}\n",
    ],
)
def test_names_that_are_known_pass(workspace: Workspace, lines: str) -> None:
    workspace.params.write_text(GOOD + lines, encoding="utf-8")
    assert set(pipelines_of(workspace)) == {"shop"}


def test_a_base_model_that_is_not_there_yet_is_no_mistake(workspace: Workspace) -> None:
    text = (GOOD + "    train: {model_changes: {anything: 2}}\n").replace("models/m", "models/other")
    workspace.params.write_text(text, encoding="utf-8")
    assert set(pipelines_of(workspace)) == {"shop"}


def test_what_config_json_writes_out_is_checked_without_transformers(workspace: Workspace) -> None:
    workspace.params.write_text(GOOD + "    train: {model_changes: {num_hidden_layers: 2}}\n", encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from tunegate.pipelines import pipelines_of\n"
        "from tunegate.workspace import Workspace; pipelines_of(Workspace(Path.cwd()))\n"
        "print([name for name in ('torch', 'transformers', 'sklearn', 'scipy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=workspace.root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_base_model_of_no_pipeline_is_answered_with_the_nearest(workspace: Workspace) -> None:
    other = GOOD.removeprefix("pipelines:\n").replace("shop:", "shop-two:").replace("models/m", "shpo/train")
    said = complaint(workspace, other)
    assert 'pipelines.shop-two.model names no pipeline: "shpo". Did you mean "shop"?' in said


def test_pipelines_that_are_made_from_each_other_are_refused(workspace: Workspace) -> None:
    one = GOOD.replace("models/m", "two/train")
    two = GOOD.removeprefix("pipelines:\n").replace("shop:", "two:").replace("models/m", "shop/train")
    workspace.params.write_text(one + two, encoding="utf-8")
    with pytest.raises(UserError, match=r"shop\.model is made from itself: shop from two from shop"):
        pipelines_of(workspace)
