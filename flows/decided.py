"""What was decided elsewhere (command line, review page, another clone) ends the runs that wait for it on the server.

It runs beside the worker. A decision is made by `decide` and stands in git; this only brings the news.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from flows.api import Server
from flows.prefect_file import APPROVAL
from tunegate.errors import OutsideError, TunegateError
from tunegate.releases.registering import version_of_verdict
from tunegate.versions.decisions import Decision, decision_about, refresh
from tunegate.versions.runs import find_run
from tunegate.workspace import Workspace

SECONDS_BETWEEN_LOOKS = 5.0
SECONDS_BETWEEN_FETCHES = 60.0  # of a shared remote's tags
PACKAGING_SECONDS = 900.0  # whoever approved packages it; after that, we go on with it
MOST = 200


async def heed_decisions(workspace: Workspace, url: str) -> None:
    """Until cancelled. A server that restarts is asked again."""
    watch = Watch(workspace, Server(url))
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        try:
            await asyncio.to_thread(watch.look)
        except OutsideError:
            continue
        except TunegateError as error:
            print(f"{error.problem} {error.remedy}", flush=True)  # noqa: T201 - into the worker's log


class Watch:
    """The runs that wait, looked at one by one."""

    def __init__(self, workspace: Workspace, server: Server) -> None:
        self._workspace = workspace
        self._server = server
        self._fetched = 0.0

    def look(self) -> None:
        """Resume what is decided, end what nobody decided in time."""
        waiting = self._waiting()
        if waiting and time.monotonic() - self._fetched > SECONDS_BETWEEN_FETCHES:
            self._fetched = time.monotonic()
            refresh(self._workspace)
        for run in waiting:
            self._look_at(run)

    def _waiting(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._server.post(
            "flow_runs/filter",
            flows={"name": {"any_": [APPROVAL]}},
            flow_runs={"state": {"type": {"any_": ["PAUSED"]}}},
            limit=MOST,
        )
        return found

    def _look_at(self, run: dict[str, Any]) -> None:
        about = run["parameters"]
        decision = decision_about(self._workspace, about["pipeline"], about["verdict_hash"])
        if decision is not None:
            if self._is_done(decision, about["run"]):
                self._resume(run["id"], decision)
            return
        until = run["state"]["state_details"].get("pause_timeout")
        if until and datetime.fromisoformat(until) < datetime.now(UTC):
            self._give_up(run)

    def _is_done(self, decision: Decision, name: str) -> bool:
        """An approval is packaged by whoever made it, in seconds; only one that was cut short is left to us."""
        if decision.what != "approve" or version_of_verdict(self._workspace, find_run(self._workspace, name)):
            return True
        when = datetime.fromisoformat(decision.when).astimezone(UTC)
        return datetime.now(UTC) - when > timedelta(seconds=PACKAGING_SECONDS)

    def _resume(self, run: str, decision: Decision) -> None:
        what = "reject" if decision.what == "reject" else "approve"
        said = {"decision": what, "name": decision.who, "reason": decision.why}
        self._server.post(f"flow_runs/{run}/resume", run_input=said)

    def _give_up(self, run: dict[str, Any]) -> None:
        name = run["parameters"]["run"]
        message = f"Nobody decided in time. `tunegate versions approve {name}` still can, or `reject`."
        state = {"type": "COMPLETED", "name": "Undecided", "message": message}
        self._server.post(f"flow_runs/{run['id']}/set_state", state=state, force=True)
