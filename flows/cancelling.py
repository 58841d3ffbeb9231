"""`tunegate cancel`: tell the server that a run is to be cancelled, and wait until it has ended."""

import os
import time
from typing import Any

from flows.alive import read_kept
from flows.api import Server
from tunegate.errors import OutsideError, UserError, did_you_mean
from tunegate.workspace import Workspace

OPEN = ("RUNNING", "PENDING", "SCHEDULED", "PAUSED", "CANCELLING")
END_SECONDS = 30.0
MOST = 200


def cancel(workspace: Workspace, name: str) -> list[str]:
    """Cancel the run of that name, or all of the pipeline that have begun; their names, once they have ended.

    Raises UserError where there is none, OutsideError where one does not end.
    """
    server = _server(workspace)
    found = server.post("flow_runs/filter", flow_runs={"state": {"type": {"any_": list(OPEN)}}}, limit=MOST)
    wanted = [run for run in found if run["name"] == name] or [run for run in found if _has_begun(run, name)]
    if not wanted:
        known = [run["name"] for run in found if run["state_type"] != "SCHEDULED"]
        raise UserError(
            f'No run "{name}" is going on, and none of a pipeline of that name.{did_you_mean(name, known)}',
            f"There are: {', '.join(known)}." if known else "Nothing is running.",
        )
    for run in wanted:
        server.post(f"flow_runs/{run['id']}/set_state", state={"type": "CANCELLING", "message": "by tunegate cancel"})
    return [_ended(server, run) for run in wanted]


def _server(workspace: Workspace) -> Server:
    kept = read_kept(workspace)
    url = os.environ.get("PREFECT_API_URL") or (kept.url if kept else None)
    if url is None:
        raise UserError("Nothing is up here that could be asked.", "Ctrl-C ends a run by hand, in its own window.")
    return Server(url)


def _has_begun(run: dict[str, Any], pipeline: str) -> bool:
    return bool(run["parameters"].get("pipeline") == pipeline and run["state_type"] != "SCHEDULED")


def _ended(server: Server, run: dict[str, Any]) -> str:
    """Its name, once it has ended: a run takes its own with its first breath."""
    deadline = time.monotonic() + END_SECONDS
    while (now := server.get(f"flow_runs/{run['id']}"))["state_type"] in OPEN:
        if time.monotonic() > deadline:
            raise OutsideError(f"{run['name']} does not end.", "`tunegate status` says who works on it.")
        time.sleep(0.2)
    return str(now["name"])
