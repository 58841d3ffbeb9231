"""What the automations cannot know of lost runs.

When a keeper starts, no process of an earlier one lives: what was in progress is lost. And a run that waits for a
person is no lost one, though the automation may take it for one: on a busy SQLite database the server drops an event
now and then ("database is locked"), and if it is the one that says that the run was suspended, its silence is held
against it. Such a run is put back before it is started once more.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from flows.api import Server
from flows.automations import NO_SIGN
from flows.prefect_file import POOL
from tunegate.errors import OutsideError

SECONDS_BETWEEN_LOOKS = 5.0  # well within the pause before a crashed run starts once more
LOOKS_BACK = timedelta(minutes=10)
LOST = "Lost: the machine or `tunegate up` went away while it ran. It starts once more by itself."


async def give_up_lost_runs(client: Any) -> None:
    """Mark the pool's runs in progress as crashed, which an automation answers with another start.

    Runs that wait for a person are paused, not in progress: they are left alone.
    """
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
        WorkPoolFilter,
        WorkPoolFilterName,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.states import Cancelled, Crashed

    progress = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
    found = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=progress))),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL])),
    )
    for run in found:
        cancelling = run.state is not None and run.state.is_cancelling()
        await client.set_flow_run_state(run.id, Cancelled() if cancelling else Crashed(message=LOST), force=True)


def watch_over_waiting(server: Server) -> None:
    """For ever, in a thread: put back what waits for a person."""
    while True:
        time.sleep(SECONDS_BETWEEN_LOOKS)
        try:
            for name in put_back_waiting(server):
                print(f"{name} waits for a person and was taken for lost: put back", flush=True)  # noqa: T201
        except OutsideError:  # a server that starts again
            continue


def put_back_waiting(server: Server) -> list[str]:
    """Give the runs that were marked lost while they were paused their state back. Their names."""
    since = (datetime.now(UTC) - LOOKS_BACK).isoformat()
    state = {"type": {"any_": ["CRASHED"]}}
    crashed = server.post("flow_runs/filter", flow_runs={"state": state, "end_time": {"after_": since}})
    names = []
    for run in crashed:
        if not (run["state"]["message"] or "").startswith(NO_SIGN):
            continue
        history = sorted(server.get(f"flow_run_states/?flow_run_id={run['id']}"), key=lambda each: each["timestamp"])
        before = [each for each in history if each["type"] != "CRASHED"][-1:]
        if before and before[0]["type"] == "PAUSED":
            kept = {name: before[0][name] for name in ("type", "name", "message", "state_details")}
            server.post(f"flow_runs/{run['id']}/set_state", state=kept, force=True)
            names.append(str(run["name"]))
    return names
