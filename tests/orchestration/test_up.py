"""`tunegate up`, `down` and `status`, with everything killed once."""

import signal
from urllib.request import urlopen

import pytest

from flows.alive import read_kept

pytestmark = pytest.mark.slow


def test_it_is_healthy_shows_its_page_and_takes_no_second_copy(up):
    found = up.json("status")
    assert found["healthy"] and found["kept"]["state"] == "ready"
    assert [worker["status"] for worker in found["workers"]] == ["ONLINE"]
    assert {each["deployment"] for each in found["coming"]} == {"one", "two"}
    with urlopen(found["page"]) as page:
        assert b"<html" in page.read()
    keeper = up.process("keeper").pid
    said = up.tunegate("up")
    assert "is up already" in said and found["page"] in said
    assert up.process("keeper").pid == keeper
    assert "down" in up.tunegate("up", "--port", str(up.port + 1), status=2)


def test_a_run_by_hand_is_seen_on_the_same_server(up):
    up.tunegate("run", "two")
    (seen,) = [run for run in up.server.post("flow_runs/filter") if run["deployment_id"] is None]
    assert seen["name"].startswith("two-") and seen["state_name"] == "Completed"


@pytest.mark.parametrize("name", ["worker", "server"])
def test_what_dies_is_started_again_and_a_run_in_progress_goes_on(up, held, name):
    go, log = held
    run = up.begin("one", force=["train"])
    up.training(log)
    died = up.process(name)
    died.send(signal.SIGKILL)
    up.until(lambda: up.process(name).pid != died.pid, f"another {name}")
    up.until(lambda: up.start("status").wait() == 0, "health")
    assert f"{name} started again" in up.tunegate("status")
    go.touch()
    assert up.ended(run)["state_name"] == "Completed", up.logs()
    assert len(log.read_text().split()) == 1  # the same training, not another one
    assert up.ended(up.begin("one"))["state_name"] == "Completed"


def test_down_ends_everything_and_a_killed_keeper_takes_all_with_it(up):
    """In the end it is up again, for whoever comes next."""
    up.process("keeper").send(signal.SIGKILL)
    up.nothing_lives()
    assert "nothing is up" in up.tunegate("status", status=75)
    assert "nothing was up" in up.tunegate("down")
    up.tunegate("up")
    assert read_kept(up.workspace) is not None
    up.tunegate("down")
    up.nothing_lives()
    up.tunegate("up")
