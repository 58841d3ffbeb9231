"""What watches over runs on the server itself: a lost one is marked crashed, a crashed one starts once more.

Both are *proactive*: they act when something expected has not come. Every event of a run counts as a sign of life,
also that it was paused or suspended: a run that waits for a person is never taken for a lost one.
"""

import json
from datetime import timedelta
from typing import Any

from flows.prefect_file import APPROVAL

SILENT_SECONDS = 90  # three heartbeats
NEVER_STARTED_SECONDS = 900  # between being handed to a worker and running: imports, on a very busy machine
PAUSE_SECONDS = (
    30  # before the next start; another event of the run meanwhile (a person, a late heartbeat) calls it off
)

ALIVE = "prefect.flow-run.*"
RUNNING = ("prefect.flow-run.heartbeat", "prefect.flow-run.Running", "prefect.flow-run.Retrying")


NO_SIGN = "Lost: no sign of life"
SILENT = "tunegate: a run without a sign of life is lost"
NOT_BEGUN = "tunegate: a run that never began is lost"
ONCE_MORE = "tunegate: a crashed run starts once more"
APPROVAL_ONCE_MORE = "tunegate: a crashed approval starts once more"
NAMES = (SILENT, NOT_BEGUN, ONCE_MORE, APPROVAL_ONCE_MORE)


def wanted() -> list[Any]:
    """The automations, as Prefect's own objects."""
    from prefect.automations import AutomationCore, ChangeFlowRunState, EventTrigger, Posture, RunDeployment
    from prefect.client.schemas.objects import StateType

    def silence(after: tuple[str, ...], seconds: int, of_flow: str | None = None) -> Any:
        return EventTrigger(
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related=_deployed(of_flow) if of_flow else {},
            for_each={"prefect.resource.id"},
            after=set(after),
            expect={ALIVE},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=seconds),
        )

    def crashed(message: str) -> Any:
        return ChangeFlowRunState(state=StateType.CRASHED, message=message)

    return [
        AutomationCore(
            name=SILENT,
            description="No heartbeat for three times its interval: the process is gone. The run is marked crashed.",
            trigger=silence(RUNNING, SILENT_SECONDS),
            actions=[crashed(f"{NO_SIGN} for {SILENT_SECONDS} seconds.")],
        ),
        AutomationCore(
            name=NOT_BEGUN,
            description="A worker took it and nothing came of it. The run is marked crashed.",
            trigger=silence(("prefect.flow-run.Pending",), NEVER_STARTED_SECONDS),
            actions=[crashed(f"Lost: it did not begin within {NEVER_STARTED_SECONDS // 60} minutes.")],
        ),
        AutomationCore(
            name=ONCE_MORE,
            description="With the same parameters, as its second attempt; the flow's own parameters allow no third.",
            trigger=silence(("prefect.flow-run.Crashed",), PAUSE_SECONDS, "run"),
            actions=[RunDeployment(source="inferred", parameters=_once_more(revision="HEAD", force=[]))],
        ),
        AutomationCore(
            name=APPROVAL_ONCE_MORE,
            description="What was decided is on record; the packaging of an approved model goes on in another run.",
            trigger=silence(("prefect.flow-run.Crashed",), PAUSE_SECONDS, APPROVAL),
            actions=[RunDeployment(source="inferred", parameters=_once_more(run="", verdict_hash="", days=14))],
        ),
    ]


def _deployed(flow: str) -> list[dict[str, str]]:
    """A run by hand is its person's to start again."""
    return [
        {"prefect.resource.role": "flow", "prefect.resource.name": flow},
        {"prefect.resource.role": "deployment"},
    ]


def _once_more(**defaults: Any) -> dict[str, Any]:
    """The crashed run's parameters, one attempt later: over its limit, the server refuses the run."""

    def template(text: str) -> dict[str, Any]:
        return {"__prefect_kind": "json", "value": {"__prefect_kind": "jinja", "template": text}}

    def same(name: str, default: Any) -> dict[str, Any]:
        given = "" if default is None else f" | default({json.dumps(default)})"
        return template(f"{{{{ flow_run.parameters['{name}']{given} | tojson }}}}")

    return {
        "pipeline": same("pipeline", None),
        **{name: same(name, default) for name, default in defaults.items()},
        "attempt": template("{{ (flow_run.parameters['attempt'] | default(1)) + 1 }}"),
    }


async def install(client: Any) -> list[str]:
    """Put them on the server; those that are there as wanted are left alone, with what they are waiting for."""
    known = {each.name: each for each in await client.read_automations()}
    lines = []
    for automation in wanted():
        there = known.get(automation.name)
        if there is not None and _same(there, automation):
            continue
        if there is not None:
            await client.delete_automation(there.id)
        await client.create_automation(automation)
        lines.append(f"installed the automation {automation.name!r}")
    return lines


def _same(there: Any, automation: Any) -> bool:
    """A person may have switched it off; that is theirs to say, and `tunegate doctor` tells of it."""
    fields = ("description", "trigger", "actions")
    return all(_told(there, field) == _told(automation, field) for field in fields)


def _told(automation: Any, field: str) -> Any:
    value = automation.model_dump(mode="json", include={field})[field]
    return _without_ids(value)


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_ids(each) for key, each in value.items() if key != "id"}
    return sorted(map(_without_ids, value), key=repr) if isinstance(value, list) else value
