"""Low-rank adapters (Hu et al. 2022, LoRA) by `peft`: put into an encoder's matrices, trained, and added up into them.

What is saved and served is a plain model, of the same size and speed as without them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunegate.errors import UserError
from tunegate.models.effects import Effect

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MARK = "lora_"  # in the names of an adapter's weights
USUAL = ("query", "value", "q_lin", "v_lin", "q_proj", "v_proj", "Wqkv")  # of families that peft has no entry for


@dataclass(frozen=True)
class Lora:
    """`targets`: endings of the adapted matrices' names; None: the queries and values, as `peft` knows them."""

    rank: int
    alpha: float
    dropout: float
    targets: Sequence[str] | None


def adapt(model: "PreTrainedModel", lora: Lora) -> Effect:
    """Adapters in place; nothing changes yet, since one factor of each is 0. Raises UserError."""
    peft = _peft()
    config = peft.LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=_targets(model, lora, peft),
        bias="none",
    )
    try:
        peft.inject_adapter_in_model(config, model)
    except ValueError as error:
        raise UserError(
            f"train.lora_targets: {str(error).splitlines()[0].rstrip('.')[:300]}.",
            f"Name endings of matrices in the model's layers: {', '.join(_matrices(model))}.",
        ) from error
    adapted = [name for name, module in model.named_modules() if _is_adapted(module)]
    trained = sum(parameter.numel() for name, parameter in model.named_parameters() if MARK in name)
    kinds = sorted({name.rpartition(".")[2] for name in adapted})
    return Effect(
        setting="train.tune",
        what=f"{len(adapted)} matrices ({', '.join(kinds)}) have adapters of rank {lora.rank}, {trained:,} parameters; "
        "they are added up into the matrices when the model is saved",
    )


def merge(model: "PreTrainedModel") -> int:
    """Add every adapter to its matrix and take it out, in place; how many there were."""
    adapted = [(name, module) for name, module in model.named_modules() if _is_adapted(module)]
    for name, module in adapted:
        module.merge(safe_merge=True)
        parent, _, own = name.rpartition(".")
        setattr(model.get_submodule(parent), own, module.get_base_layer())
    if adapted:
        untyped: Any = model
        for left in ("peft_config", "_hf_peft_config_loaded"):
            if left in vars(untyped):
                delattr(untyped, left)
    return len(adapted)


def _targets(model: "PreTrainedModel", lora: Lora, peft: Any) -> list[str]:
    if lora.targets is not None:
        return list(lora.targets)
    known = peft.utils.constants.TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
    kind = model.config.model_type
    if isinstance(known.get(kind), list):
        return list(known[kind])
    matrices = _matrices(model)
    usual: list[str] = [name for name in matrices if name in USUAL]
    if not usual:
        raise UserError(
            f"train.tune is lora, and which matrices of {kind} are its queries and values is not known here.",
            f"Name them in train.lora_targets; there are {', '.join(matrices)}.",
        )
    return usual


def _matrices(model: "PreTrainedModel") -> list[str]:
    """The names of linear maps in the layers, by their endings."""
    from torch import nn

    from tunegate.models.freezing import encoder_layers

    found = {
        name.rpartition(".")[2]
        for layer in encoder_layers(model)
        for name, module in layer.named_modules()
        if isinstance(module, nn.Linear)
    }
    return sorted(found)


def _is_adapted(module: Any) -> bool:
    from peft.tuners.lora import LoraLayer

    return isinstance(module, LoraLayer)


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise UserError(
            "train.tune is lora, which needs the package peft.", "Install it: pip install 'tunegate[lora]'."
        ) from error
    return peft
