"""What is deployed, put on a Prefect server: pools, deployments with their schedules, automations.

The table of it is prefect.yaml with the pipelines of params.yaml (`prefect_file`) and, for what watches over runs,
`automations`. Applied again, what has not changed is left alone: changing a deployment drops its coming runs.
"""

import hashlib
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from flows import notifying
from flows.environment import at_home
from flows.notifications import read_notifications
from flows.prefect_file import APPROVAL, POOL, Deployment, declared
from flows.schedules import check_schedule, schedule_object
from tunegate.errors import OutsideError
from tunegate.workspace import Workspace

OURS = "tunegate"  # the tag of what we deploy, by which we know what to take away again
POOLS = {POOL: "Processes on this machine: the pipelines themselves"}
ASKING = Deployment(
    name=APPROVAL,
    entrypoint="flows.approval.approval",
    parameters={},
    pool=POOL,
    description="Where an undecided model waits for a person; deployed runs start its runs",
    tags=(),
    limit=None,
    strategy="ENQUEUE",
    variables={},
    schedules=(),
)
"""Deployed with every project. An entry with its entrypoint in prefect.yaml takes its place (for other `days`)."""
FORMAT = "3"  # raised when `_create` says more or otherwise than before


def checked(workspace: Workspace) -> list[Deployment]:
    """What is declared. Raises UserError for a mistake in prefect.yaml or params.yaml, schedules included."""
    at_home(workspace)
    wanted = declared(workspace)
    if all(each.entrypoint != ASKING.entrypoint for each in wanted):
        wanted.append(ASKING)
    for deployment in wanted:
        for schedule in deployment.schedules:
            check_schedule(schedule)
    for notification in read_notifications(workspace):
        notification.address()  # whether its variables are set
    return wanted


async def deploy(client: Any, workspace: Workspace, wanted: Sequence[Deployment]) -> list[str]:
    """Make the server hold what is wanted, and nothing of ours besides. Returns what was done, a line each."""
    from flows.automations import install

    lines = [await _pool(client, name) for name in dict.fromkeys([POOL, *(each.pool for each in wanted)])]
    lines += [await _apply(client, workspace, each) for each in wanted]
    lines += await _take_away(client, {each.name for each in wanted})
    lines += await install(client)
    lines += await notifying.install(client, workspace)
    return [line for line in lines if line]


def apply_now(workspace: Workspace, url: str, say: Callable[[str], None]) -> None:
    """From a command: `deploy` on the server at this address. Raises OutsideError where it does not answer."""
    import asyncio

    wanted = checked(workspace)
    import httpx
    from prefect.client.orchestration import PrefectClient

    async def apply() -> list[str]:
        async with PrefectClient(url) as client:  # by its address: Prefect's settings were read when it was imported
            return await deploy(client, workspace, wanted)

    try:
        lines = asyncio.run(apply())
    except httpx.HTTPError as error:
        raise OutsideError(
            f"Prefect's server at {url} did not take it: {error}.", "`tunegate up` puts it there when it starts next."
        ) from error
    for line in lines:
        say(line)


async def _pool(client: Any, name: str) -> str:
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound

    try:
        await client.read_work_pool(name)
    except ObjectNotFound:
        await client.create_work_pool(WorkPoolCreate(name=name, type="process", description=POOLS.get(name, "")))
        return f"made the work pool {name}"
    return ""


async def _apply(client: Any, workspace: Workspace, wanted: Deployment) -> str:
    from prefect.exceptions import ObjectNotFound
    from prefect.flows import load_flow_from_entrypoint

    flow: Any = load_flow_from_entrypoint(wanted.entrypoint, use_placeholder_flow=False)
    version = _version(workspace, wanted)
    try:
        known = await client.read_deployment_by_name(f"{flow.name}/{wanted.name}")
    except ObjectNotFound:
        known = None
    if known is not None and known.version == version:
        return ""
    await _create(client, workspace, wanted, flow, version)
    words = ", ".join(each.words() for each in wanted.schedules) or "no schedule"
    return f"deployed {wanted.name}: {words}"


async def _create(client: Any, workspace: Workspace, wanted: Deployment, flow: Any, version: str) -> None:
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
    from prefect.utilities.callables import parameter_schema

    options = ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy(wanted.strategy))
    await client.create_deployment(
        flow_id=await client.create_flow_from_name(flow.name),
        name=wanted.name,
        version=version,
        description=wanted.description,
        tags=[OURS, *wanted.tags, *(f"pipeline:{each}" for each in [wanted.parameters.get("pipeline")] if each)],
        entrypoint=wanted.entrypoint,
        path=str(workspace.root),
        parameters=wanted.parameters,
        parameter_openapi_schema=parameter_schema(flow).model_dump_for_openapi(),
        enforce_parameter_schema=True,
        work_pool_name=wanted.pool,
        job_variables={**_variables(workspace, wanted), **wanted.variables},
        concurrency_limit=wanted.limit,
        concurrency_options=options if wanted.limit else None,
        schedules=[
            DeploymentScheduleCreate(schedule=schedule_object(each), active=each.active, slug=each.name)
            for each in wanted.schedules
        ],
    )


def _of_pipeline(wanted: Deployment) -> list[str]:
    """The tag that its runs have, by which lists and notifications find a pipeline's."""
    pipeline = wanted.parameters.get("pipeline")
    return [f"pipeline:{pipeline}"] if pipeline else []


def _variables(workspace: Workspace, wanted: Deployment) -> dict[str, Any]:
    """How the worker of this machine starts a run: our own engine, in the project. Elsewhere workers know better."""
    if wanted.pool != POOL:
        return {}
    return {"command": shlex.join([sys.executable, "-m", "flows.engine"]), "working_dir": str(workspace.root)}


def _version(workspace: Workspace, wanted: Deployment) -> str:
    """A hash of all that is deployed."""
    told = json.dumps([FORMAT, asdict(wanted), _variables(workspace, wanted)], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


async def _take_away(client: Any, wanted: set[str]) -> list[str]:
    """What we deployed once and is not declared any more. Its past runs stay."""
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags

    ours = await client.read_deployments(deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[OURS])))
    gone = [each for each in ours if each.name not in wanted]
    for each in gone:
        await client.delete_deployment(each.id)
    return [f"took {each.name} away" for each in gone]
