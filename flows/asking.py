"""A deployed run that ended undecided asks a person: it starts a run of the flow `approval`, once per verdict."""

import os
from typing import Any

from flows.api import Server
from flows.prefect_file import APPROVAL
from flows.summary import Summary
from tunegate.errors import OutsideError
from tunegate.versions.decisions import decision_about
from tunegate.versions.runs import run_of_verdict
from tunegate.workspace import Workspace

DEPLOYMENT = f"{APPROVAL}/{APPROVAL}"


def ask_a_person(workspace: Workspace, summary: Summary) -> str | None:
    """The name of the run that waits; None where nobody is to be asked. A server without it is said, not raised."""
    verdict_hash = summary.reports.get("gate", {}).get("hash")
    if (
        summary.verdict != "UNDECIDED"
        or not verdict_hash
        or decision_about(workspace, summary.result.pipeline, verdict_hash)
    ):
        return None
    run = run_of_verdict(workspace, summary.result.pipeline, verdict_hash)
    if run is None:
        return None
    server = Server(os.environ["PREFECT_API_URL"])
    try:
        return _begun(server, {"pipeline": run.pipeline, "run": run.name, "verdict_hash": verdict_hash})
    except OutsideError as error:
        return f"nobody, since {error.problem} `tunegate versions approve {run.name}` decides"


def _begun(server: Server, parameters: dict[str, Any]) -> str:
    """Asked again about the same verdict, the server answers with the run that waits already."""
    deployment = server.get(f"deployments/name/{DEPLOYMENT}")
    made = server.post(
        f"deployments/{deployment['id']}/create_flow_run",
        parameters=parameters,
        name=f"{parameters['run']}-{APPROVAL}",
        idempotency_key=f"{APPROVAL}-{parameters['verdict_hash']}",
        tags=[f"pipeline:{parameters['pipeline']}"],
    )
    return f"{made['name']} ({made['id']})"
