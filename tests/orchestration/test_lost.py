"""Killed with -9: the run is marked crashed and started once more, and ends as an undisturbed one does."""

import hashlib
import signal
from datetime import UTC, datetime, timedelta
from urllib.request import Request, urlopen

import pytest

from flows.automations import NO_SIGN
from tunegate.errors import OutsideError
from tunegate.versions.git import file_at
from tunegate.versions.runs import find_run

pytestmark = pytest.mark.slow


def lock_hash(up, run):
    """Of the lock that the run's record holds: the hashes of all that it made."""
    return hashlib.sha256(file_at(up.root, find_run(up.workspace, run["name"]).commit, "dvc.lock")).hexdigest()


def again(up, lost):
    """The second attempt, waited for until it has ended, and that there is no third."""
    found = []

    def there():
        found[:] = [
            each for each in up.runs() if each["parameters"].get("attempt") == 2 and each["created"] > lost["created"]
        ]
        return found

    up.until(there, "a second attempt", 1200)  # see docs/how-to/schedule.md: a young run's event waits for another's
    up.ended(found[0]["id"])
    return up.run(found[0]["id"])


@pytest.mark.parametrize("killed", [("flow",), ("worker", "flow")])
def test_a_killed_run_starts_once_more_and_ends_with_the_same_hashes(up, held, killed):
    go, log = held
    go.touch()
    undisturbed = up.ended(up.begin("one", force=["train"]))
    assert undisturbed["state_name"] == "Completed", up.logs()
    go.unlink()
    run = up.begin("one", force=["train"])
    trainer = up.training(log, 2)
    if "worker" in killed:
        up.process("worker").send(signal.SIGKILL)
    for engine in up.engines():
        engine.send_signal(signal.SIGKILL)
    up.until(lambda: not trainer.is_running(), "training to end", 20)
    lost = up.ended(run)
    assert lost["state_name"] == "Crashed"
    go.touch()
    second = again(up, lost)
    assert second["state_name"] == "Completed", up.logs()
    assert len(log.read_text().split()) == 3  # ran, was killed, ran once more
    assert lock_hash(up, second) == lock_hash(up, undisturbed)
    tasks = up.server.post("task_runs/filter", flow_runs={"id": {"any_": [second["id"]]}})
    states = {task["name"].split("-")[0]: task["state_name"] for task in tasks}
    assert (states["ingest"], states["validate"], states["train"]) == ("Unchanged", "Unchanged", "Completed")
    assert not list((up.workspace.state / "worktrees").glob("run-*/"))


def test_what_was_running_when_the_machine_went_away_starts_once_more_with_the_next_up(up, held):
    go, log = held
    run = up.begin("one", force=["train"])
    up.training(log)
    up.process("keeper").send(signal.SIGKILL)
    up.nothing_lives()
    go.touch()
    up.tunegate("up")
    lost = up.ended(run)
    assert lost["state_name"] == "Crashed" and lost["state"]["message"].startswith("Lost")
    assert again(up, lost)["state_name"] == "Completed"


def begun(up, name):
    """A run that nobody works on, as the server sees it after its process was killed."""
    flow = up.server.post("flows/", name="run")
    made = up.server.post("flow_runs/", flow_id=flow["id"], name=name, state={"type": "PENDING"})
    up.server.post(f"flow_runs/{made['id']}/set_state", state={"type": "RUNNING"})
    return made["id"]


def suspend(up, run):
    details = {"pause_key": "approval", "pause_timeout": (datetime.now(UTC) + timedelta(days=3)).isoformat()}
    state = {"type": "PAUSED", "name": "Suspended", "state_details": details}
    assert up.server.post(f"flow_runs/{run}/set_state", state=state)["status"] == "ACCEPT"


def test_a_run_that_waits_for_a_person_is_never_taken_for_a_lost_one(up):
    """It fell silent before the other did, which is found to be lost."""
    waiting = begun(up, "waits")
    suspend(up, waiting)
    silent = begun(up, "silent")
    lost = up.ended(silent)
    assert lost["state_name"] == "Crashed" and "no sign of life" in lost["state"]["message"]
    assert up.run(waiting)["state_name"] == "Suspended"
    assert "waits (suspended) for a person" in up.tunegate("status")
    up.server.post(f"flow_runs/{waiting}/set_state", state={"type": "CANCELLED"})


def test_a_run_whose_suspension_the_server_overlooked_is_put_back(up):
    """As happens when SQLite is busy: the automation marks it, and it is paused again before it could start anew."""
    waiting = begun(up, "overlooked")
    suspend(up, waiting)
    up.server.post(f"flow_runs/{waiting}/set_state", state={"type": "CRASHED", "message": f"{NO_SIGN} for 90 seconds."})
    assert up.run(waiting)["state_name"] == "Crashed"
    up.until(lambda: up.run(waiting)["state_name"] == "Suspended", "it to be put back", 60)
    assert up.run(waiting)["state"]["state_details"]["pause_key"] == "approval"
    up.server.post(f"flow_runs/{waiting}/set_state", state={"type": "CANCELLED"})


def test_a_third_attempt_is_refused_by_the_server(up):
    """So the automations cannot start a run over and over."""
    with pytest.raises(OutsideError, match="maximum"):
        up.begin("one", attempt=3)


def test_doctor_finds_the_automations_and_misses_one_that_was_taken_away(up):
    assert "watch over lost and crashed runs" in up.tunegate("doctor")
    first, *_ = up.server.post("automations/filter", limit=10)
    urlopen(Request(f"{up.server.url}/automations/{first['id']}", method="DELETE")).close()
    assert first["name"] in up.tunegate("doctor", status=2)
    up.tunegate("up")
    assert "watch over lost and crashed runs" in up.tunegate("doctor")
