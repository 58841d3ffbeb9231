"""A worker of a pool, on this machine: checked, made known to the server, and at work until it is stopped.

Prefect's own process worker takes the flow runs; each is a process of its own (see `stage_worker`).
"""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flows.clones import CLONE
from flows.environment import use_named_server
from tunegate.errors import OutsideError, UserError
from tunegate.workspace import Workspace

SECONDS_BETWEEN_QUESTIONS = "2"  # whether there is work; Prefect's own 10 are as long as a small stage


@dataclass(frozen=True)
class WorkerOrder:
    """`stages` is how many may run here at once."""

    pool: str
    device: str
    stages: int = 1


def work(clone: Workspace, order: WorkerOrder, say: Callable[[str], None]) -> None:
    """Until Ctrl-C. Raises UserError without a server, OutsideError where it does not answer."""
    use_named_server(clone)
    os.environ.setdefault("PREFECT_WORKER_QUERY_SECONDS", SECONDS_BETWEEN_QUESTIONS)
    os.environ[CLONE] = str(clone.root)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    if order.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    asyncio.run(_work(order, say))


async def _work(order: WorkerOrder, say: Callable[[str], None]) -> None:
    import httpx
    from prefect.workers.process import ProcessWorker

    try:
        await _make_known(order.pool)
    except httpx.HTTPError as error:
        raise OutsideError(
            f"Prefect's server at {os.environ['PREFECT_API_URL']} does not answer: {error!r}.",
            "Start it, or set PREFECT_API_URL to where it is.",
        ) from error
    worker = ProcessWorker(work_pool_name=order.pool, limit=order.stages)
    say(f"worker {worker.name} takes stages of the pool {order.pool}; Ctrl-C ends it")
    await worker.start(printer=lambda *_: None)


async def _make_known(pool: str) -> None:
    """The pool and its deployment `run-stage`, where the server does not have them yet or has older ones."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound
    from prefect.utilities.callables import parameter_schema
    from prefect.workers.process import ProcessWorker

    from flows.stage_worker import run_stage

    async with get_client() as client:
        try:
            found = await client.read_work_pool(pool)
        except ObjectNotFound:
            template = ProcessWorker.get_default_base_job_template()
            found = await client.create_work_pool(WorkPoolCreate(name=pool, type="process", base_job_template=template))
        if found.type != "process":
            raise UserError(
                f"The pool {pool} is of type {found.type}, whose workers start containers.",
                f"Start its worker with `prefect worker start --pool {pool}`, or choose another name.",
            )
        await client.create_deployment(
            await client.create_flow(run_stage),
            pool,
            work_pool_name=pool,
            entrypoint=f"{run_stage.fn.__module__}.{run_stage.fn.__name__}",
            job_variables={"command": "python -m prefect.engine"},  # of the worker's environment: see PATH above
            parameter_openapi_schema=parameter_schema(run_stage).model_dump(mode="json"),
            description="One stage of one pipeline, for a run that is elsewhere",
            tags=[f"pool:{pool}"],
        )
