"""Notifications on Prefect's server: a block for the address and an automation for what it hears of, one of each."""

import hashlib
import json
from typing import Any

from flows.notifications import FILE, Notification, read_notifications
from tunegate.errors import OutsideError, UserError
from tunegate.workspace import Workspace

PREFIX = "tunegate: tells "
BLOCK = "tunegate-notify-"


async def install(client: Any, workspace: Workspace) -> list[str]:
    """Make the server hold what the file says, and no notification of ours besides. Raises UserError.

    Installed again only where something changed: an address too, of which the automation's name keeps a hash.
    """
    wanted = {_title(each): each for each in read_notifications(workspace)}
    known = {each.name: each for each in await client.read_automations() if each.name.startswith(PREFIX)}
    lines = []
    for name in [name for name in known if name not in wanted]:
        await client.delete_automation(known[name].id)
        lines.append(f"took the automation {name!r} away")
    for name, notification in wanted.items():
        if name not in known:
            await client.create_automation(await _automation(name, notification))
            lines.append(f"installed the automation {name!r}")
    return lines


def send_test(notification: Notification) -> None:
    """One message, straight from here. Raises OutsideError where it does not go through."""
    block = _block(notification)
    try:
        with block.raise_on_failure():
            block.notify(
                subject="tunegate: a test",
                body=f'"{notification.name}" reaches you. It tells of: {", ".join(notification.when)}.',
            )
    except Exception as error:  # each way has errors of its own
        raise OutsideError(
            f'The notification "{notification.name}" did not go through: {type(error).__name__}: {error}.',
            "Check the address and the network.",
        ) from error


def _title(notification: Notification) -> str:
    said = json.dumps([notification.model_dump(mode="json"), notification.address()], sort_keys=True)
    return f"{PREFIX}{notification.name} ({hashlib.sha256(said.encode()).hexdigest()[:8]})"


async def _automation(name: str, notification: Notification) -> Any:
    from prefect.automations import AutomationCore, EventTrigger, Posture, SendNotification
    from pydantic import ValidationError

    identity = await _block(notification).save(f"{BLOCK}{notification.name}", overwrite=True)
    trigger = EventTrigger(
        match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related=_related(notification),
        expect={f"prefect.flow-run.{state}" for state in notification.states},
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
    )
    try:
        action = SendNotification(
            block_document_id=identity,
            subject=notification.template(notification.subject),
            body=notification.template(notification.body),
        )
    except ValidationError as error:
        said = error.errors()[0]["msg"]
        raise UserError(f'{FILE}: a template of "{notification.name}" is wrong: {said}.', "Mend it.") from error
    return AutomationCore(
        name=name,
        description=f"By {notification.kind}, when a deployed run is {', '.join(notification.when)}",
        trigger=trigger,
        actions=[action],
    )


def _related(notification: Notification) -> list[dict[str, Any]]:
    """Deployed runs: a run by hand is read where it was started."""
    related: list[dict[str, Any]] = [{"prefect.resource.role": "deployment"}]
    if notification.pipelines:
        related.append({"prefect.resource.id": [f"prefect.tag.pipeline:{name}" for name in notification.pipelines]})
    return related


def _block(notification: Notification) -> Any:
    """Raises UserError for an address that the way does not know."""
    from prefect.blocks.notifications import CustomWebhookNotificationBlock, SlackWebhook

    from flows.mail import Mail

    address = notification.address()
    if notification.kind == "webhook":
        said = {"subject": "{{subject}}", "body": "{{body}}"}
        return CustomWebhookNotificationBlock(name=notification.name, url=address, json_data=said)
    kind: Any = SlackWebhook if notification.kind == "slack" else Mail
    block = kind(url=address)
    if not len(block._apprise_client):
        raise UserError(
            f'{FILE}: the address of "{notification.name}" is none for {notification.kind}.',
            "Slack: https://hooks.slack.com/services/... ; e-mail: mailtos://user:password@host?to=...",
        )
    return block
