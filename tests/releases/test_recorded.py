"""What the records say of all pipelines and versions at once."""

import json
from pathlib import Path

import pytest

from tests.releases.project import make_project, run
from tunegate.errors import UserError
from tunegate.releases.recorded import check_recorded, scores_of
from tunegate.releases.registering import register_run
from tunegate.versions.registry import read_registry


@pytest.mark.parametrize(
    ("report", "score"),
    [
        ({"primary": {"name": "macro_f1", "value": 0.8741}}, {"demo@v1.0.0": "macro_f1 0.874"}),
        ({"primary": {"name": "macro_f1", "value": "high"}}, {}),
        ([], {}),
        (None, {}),
    ],
)
def test_a_version_scored_what_the_report_on_its_commit_says(
    tmp_path: Path, report: object, score: dict[str, str]
) -> None:
    workspace = make_project(tmp_path / "p", verdict="PASS")
    if report is not None:
        workspace.report("demo", "evaluate").parent.mkdir(parents=True)
        workspace.report("demo", "evaluate").write_text(json.dumps(report))
    register_run(workspace, run(workspace), workspace)
    assert scores_of(workspace, read_registry(workspace).versions) == score


def test_a_name_that_no_record_and_no_settings_know_is_answered_with_the_nearest(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p")
    workspace.params.write_text("pipelines: {demo: {task: text_classification, data: demo, model: models/m}}")
    check_recorded(workspace, None)
    check_recorded(workspace, "demo")  # not run yet
    with pytest.raises(UserError, match=r'no pipeline "deom"\. Did you mean "demo"'):
        check_recorded(workspace, "deom")
    run(workspace)
    workspace.params.unlink()
    check_recorded(workspace, "demo")
    with pytest.raises(UserError, match="Did you mean"):
        check_recorded(workspace, "deom")
