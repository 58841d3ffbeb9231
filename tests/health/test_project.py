"""What doctor says of a project."""

import subprocess
from pathlib import Path

import pytest

from tunegate.health import examine, project
from tunegate.health.finding import output_of
from tunegate.tasks import TASKS
from tunegate.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A project as it should be."""
    task = next(iter(TASKS))
    (tmp_path / "params.yaml").write_text(f"pipelines:\n  shop: {{task: {task}, data: shop, model: models/m}}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("['remote \"store\"']\n    url = s3://bucket/path\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for key, value in (("user.name", "me"), ("user.email", "me@example.com")):
        subprocess.run(["git", "-C", tmp_path, "config", key, value], check=True)
    return Workspace(tmp_path)


def test_a_project_as_it_should_be_is_fit(workspace: Workspace) -> None:
    findings = {finding.name: finding for finding in examine(workspace.root)}
    broken = {name for name, finding in findings.items() if finding.state == "broken"}
    assert not broken & {"git", "settings", "dvc", "data", "write access"}
    assert findings["dvc"].what == "remotes: store"


def test_every_finding_that_is_not_ok_says_what_to_do(tmp_path: Path) -> None:
    findings = list(examine(tmp_path))
    assert any(finding.state == "broken" for finding in findings)
    assert all(finding.remedy for finding in findings if finding.state != "ok")


def test_a_folder_without_git_is_broken(tmp_path: Path) -> None:
    finding = project.git(Workspace(tmp_path))
    assert finding.state == "broken"
    assert "git init" in finding.remedy


def test_wrong_settings_are_told_with_their_line(workspace: Workspace) -> None:
    workspace.params.write_text("pipelines:\n  shop: {tsk: 1}\n")
    finding = project.settings(workspace)
    assert finding.state == "broken"
    assert "params.yaml:2" in finding.what


def test_a_project_without_dvc_is_broken(tmp_path: Path) -> None:
    assert project.dvc_repository(Workspace(tmp_path)).state == "broken"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("schema: '2.0'\nstages:\n<<<<<<< HEAD\n  a: {}\n=======\n  b: {}\n>>>>>>> other\n", "dvc.lock:3 is a mark"),
        ("schema: '2.0'\nstages: [\n", "dvc.lock:3 is not valid YAML"),
        ("stages: {a: {}\nb: c: d\n", "is not valid YAML"),
        ("nonsense\n", "holds no stages"),
        ("", "holds no stages"),
    ],
)
def test_a_broken_dvc_lock_is_found_with_the_way_to_get_it_back(workspace: Workspace, content: str, said: str) -> None:
    (workspace.root / "dvc.lock").write_text(content)
    finding = project.lock_file(workspace)
    assert finding.state == "broken" and said in finding.what
    assert "git checkout -- dvc.lock" in finding.remedy


def test_a_readable_dvc_lock_and_none_at_all_are_fine(workspace: Workspace) -> None:
    assert project.lock_file(workspace).state == "ok"
    (workspace.root / "dvc.lock").write_text("schema: '2.0'\nstages:\n  a: {}\n")
    assert project.lock_file(workspace).state == "ok"


def test_no_remote_is_a_warning(workspace: Workspace) -> None:
    (workspace.root / ".dvc/config").write_text("[core]\n    analytics = false\n")
    assert project.dvc_repository(workspace).state == "warning"


def test_data_that_is_not_fetched_is_named_with_the_command_and_is_no_fault(workspace: Workspace) -> None:
    """A run fetches what it needs, and nobody needs all versions."""
    (workspace.root / "data/raw").mkdir(parents=True)
    (workspace.root / "data/raw/shop.dvc").write_text("outs: []\n")
    finding = project.tracked_data(workspace)
    assert finding.state == "ok"
    assert "0 of 1" in finding.what
    assert finding.remedy == "dvc pull data/raw/shop.dvc"


def test_a_package_at_another_version_is_a_warning(workspace: Workspace) -> None:
    (workspace.root / "constraints.txt").write_text("numpy==1.0.0\n")
    finding = project.packages(workspace)
    assert finding.state == "warning"
    assert "numpy" in finding.what
    assert "tried: 1.0.0" in finding.what


def test_constraints_are_read_without_comments_and_markers(tmp_path: Path) -> None:
    path = tmp_path / "constraints.txt"
    path.write_text("# made by hand\nAsync_Timeout==5.0.1; python_version < '3.12'\nnumpy==2.4.6  # why\n")
    assert project.read_constraints(path) == {"async-timeout": "5.0.1", "numpy": "2.4.6"}


def test_the_projects_own_constraints_name_what_it_requires() -> None:
    pinned = project.read_constraints(ROOT / "constraints.txt")
    assert [name for name in project.required_names() if name not in pinned] == []


def test_a_program_that_is_not_there_says_nothing() -> None:
    assert output_of("no-such-program-anywhere") == ""
