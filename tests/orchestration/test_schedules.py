"""Schedules on a real server: in force at once, kept over an outage, and of the late runs one does the work."""

import time
from datetime import UTC, datetime

import pytest

pytestmark = pytest.mark.slow


def scheduled(up):
    """What a schedule made, by when it is or was due."""
    found = up.server.post("flow_runs/filter", sort="EXPECTED_START_TIME_ASC")
    return [run for run in found if run["auto_scheduled"]]


def test_a_schedule_is_in_force_at_once_paused_resumed_and_removed(up):
    up.tunegate("schedule", "set", "two", "--cron", "0 6 * * *", "--timezone", "Europe/Berlin")
    up.until(lambda: len(scheduled(up)) >= 3, "coming runs", 30)
    hours = {datetime.fromisoformat(run["expected_start_time"]).astimezone(UTC).hour for run in scheduled(up)}
    assert hours <= {4, 5}  # six o'clock in Berlin, by summer and by winter
    said = up.tunegate("status")
    assert "two: cron 0 6 * * * (Europe/Berlin), next 20" in said
    assert "in force" in up.tunegate("schedule", "pause", "two")
    assert scheduled(up) == [] and "paused" in up.tunegate("status")
    up.tunegate("schedule", "resume", "two")
    up.until(lambda: scheduled(up), "coming runs", 30)
    up.tunegate("schedule", "remove", "two")
    assert scheduled(up) == []


def test_late_runs_after_an_outage_collapse_into_one(up):
    up.tunegate("schedule", "set", "one", "--every", "1m")
    up.until(lambda: len(scheduled(up)) >= 3, "coming runs", 30)
    due = [datetime.fromisoformat(run["expected_start_time"]) for run in scheduled(up)]
    up.tunegate("down")
    while datetime.now(UTC) < due[2]:  # the outage, over three of them
        time.sleep(1)
    up.tunegate("up")
    missed = [run["id"] for run in scheduled(up) if datetime.fromisoformat(run["expected_start_time"]) < due[2]]
    assert len(missed) >= 2
    up.until(lambda: all(up.run(run)["state_type"] in ("COMPLETED", "CANCELLED") for run in missed), "late runs to end")
    ended = [up.run(run) for run in missed]
    assert [run["state_type"] for run in ended].count("COMPLETED") == 1, ended
    up.tunegate("schedule", "remove", "one")
