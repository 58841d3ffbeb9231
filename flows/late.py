"""Late runs after an outage collapse into one: the first to begin does the work of all that are waiting by then.

The deployment's limit of one run at a time cancels those that a worker tries to start beside it; what comes after
it, this finds out.
"""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flows.api import Server

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

WAITING = ("SCHEDULED",)
PUNCTUAL_SECONDS = 60.0  # a worker asks every few seconds; who starts within a minute is not late
MOST = 200


def collapsed() -> "State[Any] | None":
    """Within a deployed flow: the state to end with where another run has done this one's work, else None.

    A run that goes on cancels the scheduled ones that are due and have not begun.
    """
    from prefect.runtime import deployment, flow_run
    from prefect.states import Cancelled

    if deployment.id is None:
        return None
    server = Server(os.environ["PREFECT_API_URL"])
    own = server.get(f"flow_runs/{flow_run.id}")
    other = _done_since(server, str(deployment.id), own) if own["auto_scheduled"] else None
    if other is not None:
        return Cancelled(name="Skipped", message=f"It was late, and {other} has done its work since it was due.")
    for late in _due(server, str(deployment.id), own["id"]):
        state = {"type": "CANCELLED", "name": "Skipped", "message": f"It was late; {own['name']} does its work."}
        server.post(f"flow_runs/{late['id']}/set_state", state=state, force=False)
    return None


def _done_since(server: Server, deployment: str, own: dict[str, Any]) -> str | None:
    """A run of the same deployment that began after this one was due, and came to its end."""
    due = datetime.fromisoformat(own["expected_start_time"])
    if (datetime.now(UTC) - due).total_seconds() < PUNCTUAL_SECONDS:
        return None
    found = server.post(
        "flow_runs/filter",
        flow_runs={
            "deployment_id": {"any_": [deployment]},
            "start_time": {"after_": due.isoformat()},
            "state": {"type": {"any_": ["COMPLETED"]}},
        },
        limit=1,
    )
    return found[0]["name"] if found else None


def _due(server: Server, deployment: str, own: str) -> list[dict[str, Any]]:
    """Runs that a schedule made, whose time has come and which nobody has begun."""
    found = server.post(
        "flow_runs/filter",
        flow_runs={
            "deployment_id": {"any_": [deployment]},
            "state": {"type": {"any_": list(WAITING)}},
            "expected_start_time": {"before_": datetime.now(UTC).isoformat()},
        },
        limit=MOST,
    )
    return [run for run in found if run["id"] != own and run["auto_scheduled"]]
