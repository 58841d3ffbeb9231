"""What dvc.yaml says of plots, drawn by DVC from files that our own code wrote."""

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from tests.projects import dvc
from tunegate.dvc.project import Project
from tunegate.evaluation.plots import confusion_csv, reliability_csv
from tunegate.statistics.calibration import reliability
from tunegate.training.curves import COLUMNS
from tunegate.workspace import Workspace

ROOT = Path(__file__).parents[2]
STAGES = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
DRAWN = ("train", "evaluate")


@pytest.fixture
def drawn(workspace: Workspace) -> Workspace:
    """A project whose stages only write the plots' data, run once."""
    half = np.array([0.55, 0.95, 0.95])
    content = {
        "curves": f"{','.join(COLUMNS)}\n1,1,1e-3,0.9,,\n2,1,1e-3,0.5,0.6,0.8\n",
        "confusion": confusion_csv(["a", "b", "b"], ["a", "a", "b"]),
        "reliability": reliability_csv(reliability(half, half > 0.5)),
    }
    for name, text in content.items():
        (workspace.root / f"{name}.made").write_text(text)
    (workspace.root / "dvc.yaml").write_text(_written({stage: _copying(stage) for stage in DRAWN}))
    dvc(workspace.root, "repro", "-q")
    return workspace


def _copying(stage: str) -> dict[str, object]:
    plots = STAGES[stage]["do"]["plots"]
    paths = [next(iter(plot)) for plot in plots]
    commands = " && ".join(f"cp {Path(path).stem}.made {path}" for path in paths)
    return {"foreach": "${pipelines}", "do": {"cmd": commands, "deps": ["params.yaml"], "plots": plots}}


def _written(stages: dict[str, object]) -> str:
    text = StringIO()
    YAML(typ="safe").dump({"stages": stages}, text)
    return text.getvalue()


def test_dvc_draws_every_plot_with_vega(drawn: Workspace) -> None:
    dvc(drawn.root, "plots", "show", "-o", "drawn")
    page = (drawn.root / "drawn" / "index.html").read_text()
    assert page.count("vegaEmbed(") >= 3 and "vega-lite/v" in page
    for title in ("one training loss", "one answers to test rows", "one confidence and share of right answers"):
        assert title in page
    assert '"groupby": ["actual", "predicted"]' in page  # the template of confusion matrices
    assert '"train_loss"' in page and '"accuracy"' in page


def test_plots_are_outputs_whose_loss_is_noticed(drawn: Workspace) -> None:
    def reasons() -> list[str]:
        project = Project(drawn)
        try:
            return [reason for step in project.steps(["one"]) for reason in project.reasons(step)]
        finally:
            project.close()

    assert reasons() == []
    drawn.plot("one", "confusion").unlink()
    assert reasons() == ["data/one/confusion.csv is missing"]
