"""Runs that nobody works on any more, found when a keeper starts: no process of an earlier one lives then."""

from typing import Any

from flows.prefect_file import POOL

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
