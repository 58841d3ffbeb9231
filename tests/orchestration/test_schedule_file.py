"""`tunegate schedule` on prefect.yaml: comments kept, mistakes said before anything is written. No server."""

import os

import pytest

from flows.prefect_file import declared, schedules_of
from tests.flows.project import make_project
from tunegate.cli import run_command

REVIEWED = """\
# Why these times: the shop closes at five.
name: tunegate
deployments:
  - name: one  # the only one
    entrypoint: flows.deployed.run
    parameters: {pipeline: one}
    schedules: []
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    workspace = make_project(tmp_path / "project")
    monkeypatch.chdir(workspace.root)
    for name in (
        "PREFECT_HOME",
        "PREFECT_SERVER_ANALYTICS_ENABLED",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY",
        "DO_NOT_TRACK",
    ):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # what the command sets is taken back
        monkeypatch.delenv(name)
    return workspace


def test_set_pause_resume_and_remove_keep_what_people_wrote(project):
    file = project.root / "prefect.yaml"
    file.write_text(REVIEWED)
    assert run_command(["schedule", "set", "one", "--cron", "0 6 * * 1-5", "--timezone", "Europe/Berlin"]) == 0
    assert run_command(["schedule", "set", "one", "--every", "6h", "--name", "often"]) == 0
    assert run_command(["schedule", "pause", "one", "--name", "often"]) == 0
    words = [each.words() for each in schedules_of(project)["one"]]
    assert words == ["cron 0 6 * * 1-5 (Europe/Berlin)", "every 6 h (UTC), paused"]
    assert file.read_text().startswith(REVIEWED.removesuffix(" []\n"))
    assert run_command(["schedule", "resume", "one", "--name", "often"]) == 0
    assert [each.active for each in schedules_of(project)["one"]] == [True, True]
    assert run_command(["schedule", "set", "one", "--cron", "0 7 * * *"]) == 0
    assert [each.when for each in schedules_of(project)["one"]] == ["0 7 * * *", 21600]
    for name in ("often", "default"):
        assert run_command(["schedule", "remove", "one", "--name", name]) == 0
    assert schedules_of(project) == {"one": ()} and "# the only one" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cron", "61 6 * * *"], "61 6 * * *"),
        (["--cron", "0 6 30 2 *"], "cannot be"),
        (["--cron", "0 6 * * *", "--timezone", "Europe/Berln"], 'Did you mean "Europe/Berlin"?'),
        (["--every", "5q"], '"5q" is no interval'),
        (["--every", "5s"], "too short"),
        (["--rrule", "FREQ=NEVER"], "NEVER"),
        (["--rrule", "FREQ=DAILY;UNTIL=20200101T000000"], "no time to come"),
        (["--cron", "0 6 * * *", "--every", "1h"], "exactly one"),
        (["--cron", "0 6 * * *", "--name", "At Six"], "no name of a schedule"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_before_it_is_written(project, capsys, arguments, said):
    assert run_command(["schedule", "set", "one", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (project.root / "prefect.yaml").exists()


def test_a_name_that_is_not_there_is_a_mistake_with_a_hint(project, capsys):
    assert run_command(["schedule", "set", "on", "--cron", "0 6 * * *"]) == 2
    assert 'Did you mean "one"?' in capsys.readouterr().err
    run_command(["schedule", "set", "one", "--cron", "0 6 * * *", "--name", "nightly"])
    assert run_command(["schedule", "pause", "one"]) == 2
    assert 'no schedule "default"' in capsys.readouterr().err


def test_every_pipeline_is_deployed_and_an_unknown_one_is_refused(project, capsys):
    (project.root / "prefect.yaml").write_text(REVIEWED)
    with project.params.open("a") as file:
        file.write("  two: {task: text_classification, data: one, model: models/m}\n")
    assert [(each.name, each.parameters) for each in declared(project)] == [
        ("one", {"pipeline": "one"}),
        ("two", {"pipeline": "two"}),
    ]
    (project.root / "prefect.yaml").write_text(REVIEWED.replace("pipeline: one", "pipeline: tow"))
    assert run_command(["schedule", "list"]) == 2
    assert 'Did you mean "two"?' in capsys.readouterr().err
