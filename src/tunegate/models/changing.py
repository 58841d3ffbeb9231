"""Changes of the architecture that are made to a loaded model, in the one order in which they fit together."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunegate.models.effects import Effect
from tunegate.models.inputs_wanted import InputsWanted
from tunegate.models.layers import keep_layers
from tunegate.models.lora import Lora, adapt
from tunegate.models.positions import lengthen
from tunegate.models.token_rows import remake_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def changed(
    model: "PreTrainedModel", kept_layers: int | Sequence[int] | None, inputs: InputsWanted
) -> tuple[Effect, ...]:
    """Layers, positions and tokens, in place. Raises UserError."""
    effects = []
    if kept_layers is not None:
        effects.append(keep_layers(model, kept_layers))
    if inputs.positions is not None:
        effects.append(lengthen(model, inputs.positions, inputs.lengthening))
    if inputs.base_tokens is not None:
        effects.append(remake_tokens(model, inputs))
    return tuple(effects)


def adapted(model: "PreTrainedModel", lora: Lora | None) -> tuple[Effect, ...]:
    """Adapters stand on what the other changes left. Raises UserError."""
    return () if lora is None else (adapt(model, lora),)
