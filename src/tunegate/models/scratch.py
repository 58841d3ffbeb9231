"""A model from random weights: with a base model's tokenizer and family, in its own shape or in one of known sizes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tunegate.errors import UserError
from tunegate.models.effects import Effect

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

SETTING = "train.from_scratch"

Scratch = Literal["no", "own_shape", "tiny", "mini", "small", "medium", "base"]


@dataclass(frozen=True)
class Size:
    """Layers, width and heads; the inner width is four times the width."""

    layers: int
    width: int
    heads: int


SIZES = {
    "tiny": Size(2, 128, 2),
    "mini": Size(4, 256, 4),
    "small": Size(4, 512, 8),
    "medium": Size(8, 512, 8),
    "base": Size(12, 768, 12),
}
"""BERT's, from Turc et al. 2019 ("Well-read students learn better", table 1)."""


def resize(config: "PretrainedConfig", scratch: Scratch) -> None:
    """In place; families with other names for these settings map them. Raises UserError for one that lacks them."""
    if scratch in ("no", "own_shape"):
        return
    size = SIZES[scratch]
    wanted = {
        "hidden_size": size.width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        ("hidden_dim" if hasattr(config, "hidden_dim") else "intermediate_size"): 4 * size.width,
    }
    missing = [name for name in wanted if not hasattr(config, name)]
    if missing:
        raise UserError(
            f"{SETTING}: {scratch}: the config of {config.model_type} has no {missing[0]}.",
            f"Set {SETTING} to own_shape and choose the shape in train.model_changes.",
        )
    for name, value in wanted.items():
        setattr(config, name, value)


def drawn(kind: Any, config: "PretrainedConfig", attention: str) -> "tuple[PreTrainedModel, Effect]":
    """A model of the class, or of the Auto class, whose weights are all as the architecture draws them."""
    import torch

    make = kind.from_config if hasattr(kind, "from_config") else kind._from_config
    model: PreTrainedModel = make(config, dtype=torch.float32, attn_implementation=attention)
    count = sum(parameter.numel() for parameter in model.parameters())
    return model, Effect(setting=SETTING, what=f"all {count:,} weights start random; of the base model only words stay")
