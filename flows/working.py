"""The process of a worker: it deploys what prefect.yaml says, then runs what is due.

What is due runs in a process of its own (`engine`), in a git worktree (`deployed`). `tunegate up` keeps one; a team's
server has them as units of systemd (deploy/), with no keeper above them.
"""

import asyncio
import os
import threading

from flows.alive import ALIVE, end_with_keeper, folder_of
from flows.api import Server
from flows.decided import heed_decisions
from flows.keeper import READY
from flows.prefect_file import POOL, Deployment
from tunegate.errors import TunegateError
from tunegate.workspace import Workspace


def main() -> None:
    """Work until killed. Runs in progress go on without us, and the next worker leaves them alone."""
    end_with_keeper()
    workspace = Workspace.find()
    ready = folder_of(workspace) / READY
    asyncio.run(_work(workspace, _declared(workspace, first=not ready.exists()), first=not ready.exists()))


def _declared(workspace: Workspace, *, first: bool) -> list[Deployment] | None:
    """None for a worker started again while somebody edits: what was deployed before stays in force."""
    from flows.deployments import checked

    try:
        return checked(workspace)
    except TunegateError as error:
        if first:
            raise
        print(f"{error.problem} {error.remedy}", flush=True)  # noqa: T201 - into the worker's log
        return None


async def _work(workspace: Workspace, wanted: list[Deployment] | None, *, first: bool) -> None:
    from prefect.client.orchestration import get_client
    from prefect.workers.process import ProcessWorker

    from flows.deployments import deploy
    from flows.lost import give_up_lost_runs, watch_over_waiting

    async with get_client() as client:
        if first and ALIVE in os.environ:  # without a keeper, others may be at work: silence tells of lost runs
            await give_up_lost_runs(client)
        for line in await deploy(client, workspace, wanted) if wanted is not None else ():
            print(line, flush=True)  # noqa: T201
    server = Server(os.environ["PREFECT_API_URL"])
    threading.Thread(target=watch_over_waiting, args=(server,), name="watch-over-waiting", daemon=True).start()
    if ALIVE in os.environ:
        (folder_of(workspace) / READY).touch()
    name = f"{os.uname().nodename}-{POOL}"
    worker = ProcessWorker(work_pool_name=POOL, name=name, limit=int(os.environ["TUNEGATE_AT_ONCE"]))
    news = asyncio.create_task(heed_decisions(workspace, os.environ["PREFECT_API_URL"]))
    try:
        await worker.start(printer=print)
    finally:
        news.cancel()


if __name__ == "__main__":
    main()
