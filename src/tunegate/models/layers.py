"""An encoder with fewer of its layers: the first K, or chosen ones.

Chosen evenly they are DistilBERT's start (Sanh et al. 2019, section 3); keeping the first loses least without further
pre-training (Sajjad et al. 2023, "On the effect of dropping layers of pre-trained transformer models", section 4).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tunegate.errors import UserError
from tunegate.models.effects import Effect
from tunegate.models.freezing import separate_layers

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SETTING = "kept_layers"


def keep_layers(model: "PreTrainedModel", kept: int | Sequence[int]) -> Effect:
    """Take the other layers out, in place; layers are numbered from 1, the lowest. Raises UserError."""
    layers = separate_layers(model, SETTING, "none can be left out", f"Take train.{SETTING} out.")
    chosen = list(range(1, kept + 1)) if isinstance(kept, int) else list(kept)
    whole = len(layers)
    if max(chosen) > whole:
        raise UserError(
            f"train.{SETTING} names layer {max(chosen)}, and the model has {whole} layers.",
            f"Layers are numbered from 1 (the lowest) to {whole}.",
        )
    gone = [number for number in range(1, whole + 1) if number not in chosen]
    dropped = sum(parameter.numel() for number in gone for parameter in layers[number - 1].parameters())
    for number in reversed(gone):
        del layers[number - 1]
    _renumber(model, layers, chosen)
    return Effect(
        setting=f"train.{SETTING}",
        what=f"layers {', '.join(map(str, chosen))} of {whole} are kept as they are; "
        f"{dropped:,} parameters of the other {len(gone)} are left out",
    )


def _renumber(model: "PreTrainedModel", layers: Any, chosen: Sequence[int]) -> None:
    """So that what is saved is read back as the same model."""
    config: Any = model.config
    if hasattr(config, "global_attn_every_n_layers") and not hasattr(config, "layer_types"):
        raise UserError(
            f"train.{SETTING}: what a layer of {type(model).__name__} does hangs on its number.",
            f"Take train.{SETTING} out.",
        )
    if isinstance(types := getattr(config, "layer_types", None), list):
        config.layer_types = [types[number - 1] for number in chosen]
    config.num_hidden_layers = len(chosen)
    for number, layer in enumerate(layers):
        for module in layer.modules():
            for name in ("layer_idx", "layer_id"):
                if isinstance(getattr(module, name, None), int):
                    setattr(module, name, number)
