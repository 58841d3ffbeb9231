"""What a change of the architecture did to the weights that were loaded, in words."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class Effect(BaseModel):
    """`setting` as params.yaml has it; `what` is one sentence with its numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    setting: str
    what: str


def effects_table(effects: Sequence[Effect]) -> str:
    """Markdown; empty where nothing was changed."""
    if not effects:
        return ""
    lines = [f"| `{effect.setting}` | {effect.what} |\n" for effect in effects]
    return "\n| changed | effect on the base model's weights |\n|---|---|\n" + "".join(lines)
