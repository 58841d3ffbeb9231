"""The head of tasks that read a text as a whole: the family's own, or ours with a pooling and depth of choice.

Which it is stands in the model's config, so that whoever loads the folder gets the same.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunegate.errors import UserError
from tunegate.models.effects import Effect
from tunegate.task import Head

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

TEXT_HEAD = "AutoModelForSequenceClassification"
OURS = "pooled"
WORDS = {
    "cls": "the first token's state",
    "mean": "the mean over all tokens",
    "max": "the largest over all tokens",
    "attention": "a learnt weighting of all tokens",
}


@dataclass(frozen=True)
class Pooling:
    """`kind` is one of WORDS; `layers` hidden ones stand between it and the scores."""

    kind: str
    layers: int


def check_head(head: Head) -> None:
    """Raises UserError for a task that does not read a text as a whole."""
    if head.auto_class != TEXT_HEAD:
        raise UserError(
            "train.pooling: this task asks more of a text than one answer, and its head reads every token.",
            "Take train.pooling out.",
        )


def pool(config: "PretrainedConfig", pooling: Pooling) -> None:
    """Write the choice into the config."""
    for name, value in (("head_pooling", pooling.kind), ("head_layers", pooling.layers)):
        setattr(config, name, value)


def head_class(config: "PretrainedConfig", head: Head) -> str:
    """The name of the head's class: ours, where the config chose a pooling."""
    return OURS if head.auto_class == TEXT_HEAD and getattr(config, "head_pooling", None) else head.auto_class


def pooling_effects(model: "PreTrainedModel", pooling: Pooling | None) -> tuple[Effect, ...]:
    """None where the family's own head stands."""
    if pooling is None:
        return ()
    untyped: Any = model
    parameters = sum(parameter.numel() for parameter in untyped.head.parameters())
    layers = f"{pooling.layers} hidden layer{'' if pooling.layers == 1 else 's'}"
    said = (
        f"{WORDS[pooling.kind]} and {layers} in the place of the family's own head; {parameters:,} parameters are new"
    )
    return (Effect(setting="train.pooling", what=said),)
