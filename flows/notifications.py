"""notifications.yaml: who hears of which runs, and in which words. No Prefect is imported here."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tunegate.errors import UserError, did_you_mean
from tunegate.params_file import read_yaml
from tunegate.pipelines import pipelines_of
from tunegate.workspace import Workspace

FILE = "notifications.yaml"
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
Event = Literal["failed", "refused", "undecided", "late", "passed"]
EVENTS: dict[Event, tuple[str, ...]] = {
    "failed": ("Failed", "Crashed"),
    "refused": ("Rejected", "Refused"),
    "undecided": ("Suspended", "Waiting"),
    "late": ("Late",),
    "passed": ("Completed",),
}
"""The states of a run of that kind, by name. Of an undecided run the one that waits for a person tells."""

SENTENCE = (
    "{% if flow_run.state.name == 'Suspended' %}{{ flow_run.parameters['run'] }} is undecided and waits for a person."
    "{% elif event.event == 'prefect.flow-run.Late' %}{{ flow_run.name }} is late: no worker has begun it."
    "{% else %}{{ flow_run.name }} ({{ event.event | replace('prefect.flow-run.', '') }}): "
    "{{ flow_run.state.message or 'its page says more' }}{% endif %}"
)
LINK = "{{ flow_run | ui_url }}"


class Notification(BaseModel):
    """`to` is one way: its kind and its address, with variables of the environment in it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,39}[a-z0-9])?$")]
    to: dict[Literal["webhook", "slack", "email"], str]
    when: Annotated[list[Event], Field(min_length=1)] = ["failed", "refused", "undecided", "late"]
    pipelines: list[str] = []
    subject: str = "tunegate: {{ flow_run.name }}"
    body: str = "{{ sentence }}\n{{ link }}"

    @model_validator(mode="after")
    def _one_way(self) -> "Notification":
        if len(self.to) != 1:
            raise ValueError("`to` has exactly one of webhook, slack and email")
        return self

    @property
    def kind(self) -> str:
        return next(iter(self.to))

    @property
    def states(self) -> list[str]:
        return [state for event in self.when for state in EVENTS[event]]

    def address(self) -> str:
        """With its variables' values. Raises UserError for one that is not set."""
        return VARIABLE.sub(self._value, self.to[self.kind])  # type: ignore[index]

    def _value(self, found: "re.Match[str]") -> str:
        value = os.environ.get(found[1])
        if not value:
            raise UserError(
                f'{FILE}: the notification "{self.name}" takes ${{{found[1]}}} from the environment: it is not set.',
                f"Set it where `tunegate up` starts: {found[1]}=... tunegate up",
            )
        return value

    def template(self, text: str) -> str:
        """As the server renders it: our own words for what most people want to read."""
        return text.replace("{{ sentence }}", SENTENCE).replace("{{ link }}", LINK)


def read_notifications(workspace: Workspace) -> list[Notification]:
    """In the file's order; none where there is no file. Raises UserError with every mistake."""
    path = workspace.root / FILE
    if not path.is_file():
        return []
    entries = _entries(path)
    mistakes: list[str] = []
    found = [each for number, entry in enumerate(entries, 1) if (each := _read(entry, number, mistakes))]
    names = [each.name for each in found]
    mistakes += [f'"{name}" stands there twice.' for name in sorted({name for name in names if names.count(name) > 1})]
    pipelines = pipelines_of(workspace)
    mistakes += [
        f'"{each.name}" names the pipeline "{name}", which params.yaml does not have.{did_you_mean(name, pipelines)}'
        for each in found
        for name in each.pipelines
        if name not in pipelines
    ]
    if mistakes:
        raise UserError("\n".join(f"{FILE}: {said}" for said in mistakes), "Mend them in that file.")
    return found


def find_notification(workspace: Workspace, name: str) -> Notification:
    """Raises UserError where there is none of that name."""
    found = {each.name: each for each in read_notifications(workspace)}
    if name not in found:
        raise UserError(
            f'{FILE} has no notification "{name}".{did_you_mean(name, list(found))}',
            f"It has: {', '.join(found)}." if found else "Its comments show what one looks like.",
        )
    return found[name]


def _entries(path: Path) -> list[Any]:
    document = read_yaml(path) or {}
    entries = document.get("notifications") if isinstance(document, dict) else None
    if not isinstance(document, dict) or set(document) - {"notifications"} or not isinstance(entries or [], list):
        raise UserError(f"{FILE} holds more or other than one list `notifications`.", "Write the entries under it.")
    return list(entries or [])


def _read(entry: Any, number: int, mistakes: list[str]) -> Notification | None:
    try:
        return Notification.model_validate(entry)
    except ValidationError as error:
        for each in error.errors():
            where = ".".join(map(str, each["loc"]))
            mistakes.append(
                f"entry {number}{f', {where}' if where else ''}: {each['msg'].removeprefix('Value error, ')}."
            )
        return None
