"""`review: required`: a run of new data waits after validate until a named person has decided about that very data."""

import json
from pathlib import Path

import pytest

from tests.data_versions.project import PARAMS, git, make_project
from tunegate.cli import run_command
from tunegate.data_versions.naming import settings_of
from tunegate.data_versions.review import ACCEPT, REFUSE, decide, validated_data
from tunegate.dvc.tracking import cache_folder
from tunegate.errors import ExitStatus, RefusedError, UserError, WaitingError
from tunegate.stages import run_stage
from tunegate.versions.inputs import current_inputs
from tunegate.versions.tags import LostRaceError
from tunegate.workspace import Workspace, folder_hash


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Validated, and waiting."""
    monkeypatch.setenv("TUNEGATE_STATE", str(tmp_path / ".tunegate"))
    workspace = make_project(tmp_path, params=f"{PARAMS}    review: required\n    validate: {{min_rows: 5}}\n")
    monkeypatch.chdir(workspace.root)
    resolve(workspace)
    for stage in ("ingest", "validate"):
        run_stage(stage, "demo", workspace)
    return workspace


def resolve(workspace: Workspace) -> None:
    current_inputs(workspace, "demo", settings_of(workspace, "demo")).write(workspace.inputs("demo"))


def augment(workspace: Workspace) -> None:
    resolve(workspace)
    run_stage("augment", "demo", workspace)


def test_the_stage_after_validate_waits_with_the_command_that_helps(project: Workspace) -> None:
    with pytest.raises(WaitingError, match="tunegate data accept demo --why") as caught:
        augment(project)
    assert caught.value.status == ExitStatus.UNDECIDED == 4 and validated_data(project, "demo").waits


def test_accepted_data_goes_on_and_the_tag_says_who_and_why(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["data", "accept", "demo", "--why", "looked at all of it", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["who"], said["why"]) == ("Ann <ann@example.org>", "looked at all of it")
    augment(project)
    (name,) = git(project.root, "tag", "--list", "decisions/*").split()
    assert name == f"decisions/data/demo/{folder_hash(project.stage('demo', 'validate')).removesuffix('.dir')}"
    assert git(project.root, "cat-file", "-t", name).strip() == "tag"
    assert not validated_data(project, "demo").waits


def test_refused_data_is_refused_by_name_and_nobody_decides_twice(project: Workspace) -> None:
    decide(project, "demo", REFUSE, who="Bob <bob@example.org>", why="half of it is noise")
    with pytest.raises(RefusedError, match=r"Bob .*half of it is noise"):
        augment(project)
    with pytest.raises(LostRaceError, match=r"Bob .*refused this data"):
        decide(project, "demo", ACCEPT, who=None, why="I like it")


def test_a_decision_does_not_carry_over_to_data_that_validates_to_something_else(project: Workspace) -> None:
    decide(project, "demo", ACCEPT, who=None, why="fine")
    rows = project.raw("demo") / "rows.csv"
    rows.write_text(rows.read_text() + "r999,one more message about a lamp,x\n")
    for stage in ("ingest", "validate"):
        run_stage(stage, "demo", project)
    with pytest.raises(WaitingError):
        augment(project)
    rows.write_text("\n".join(rows.read_text().splitlines()[:-1]) + "\n")
    for stage in ("ingest", "validate"):
        run_stage(stage, "demo", project)
    augment(project)  # the old data again: it was accepted


def test_nobody_is_asked_where_no_review_is_required(project: Workspace) -> None:
    project.params.write_text(project.params.read_text().replace("review: required", "review: none"))
    augment(project)
    with pytest.raises(UserError, match="waits for nobody"):
        decide(project, "demo", ACCEPT, who=None, why="fine")


def test_who_made_the_data_may_be_forbidden_to_accept_it(project: Workspace) -> None:
    project.params.write_text(f"{project.params.read_text()}    approve_own: false\n")
    with pytest.raises(UserError, match="made this data version"):
        decide(project, "demo", ACCEPT, who=None, why="mine is good")
    assert decide(project, "demo", ACCEPT, who="Bob <bob@example.org>", why="looked").accepted


def test_a_decision_needs_a_reason_and_data_that_validation_accepts(project: Workspace) -> None:
    with pytest.raises(UserError, match="needs a reason"):
        decide(project, "demo", ACCEPT, who=None, why=" ")
    project.params.write_text(project.params.read_text().replace("min_rows: 5", "min_rows: 500"))
    resolve(project)
    run_stage("validate", "demo", project)
    with pytest.raises(UserError, match="Validation itself refused"):
        decide(project, "demo", ACCEPT, who=None, why="so what")


def test_the_folders_hash_is_dvcs_own(project: Workspace) -> None:
    folder = project.stage("demo", "validate")
    assert cache_folder(project, folder).md5 == folder_hash(folder)
