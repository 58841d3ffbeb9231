"""What of a model is trained: everything, all above a boundary, low-rank adapters with the head, or the head alone.

Head-only is the boundary above the last layer: a pooler, where there is one, belongs to the head and is trained.
What is frozen is a fixed function: it runs without dropout, so that its results can be kept.
"""

from typing import TYPE_CHECKING, Literal

from tunegate.errors import UserError
from tunegate.models.lora import MARK

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

Tune = Literal["full", "partial", "head", "lora"]


def freeze(model: "PreTrainedModel", tune: Tune, frozen_layers: int) -> int:
    """Freeze in place; the number of lowest layers that are frozen. Raises UserError."""
    if tune == "full":
        return 0
    layers = encoder_layers(model)
    frozen = len(layers) if tune in ("head", "lora") else frozen_layers
    if frozen > len(layers):
        raise UserError(
            f"train.frozen_layers is {frozen}, and the model has {len(layers)} layers.",
            f"Freeze at most {len(layers)}, or set train.tune to head.",
        )
    if tune == "partial" and frozen:
        separate_layers(model, "frozen_layers", "none can be frozen alone", "Set train.tune to full or head.")
    kept = list(layers[frozen:])
    for module in (*_below(model, layers), *layers[:frozen]):
        module.requires_grad_(False)
    for layer in kept:
        layer.requires_grad_(True)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(parameter.requires_grad or MARK in name)
    return frozen


def train_mode(model: "nn.Module") -> None:
    """Training mode for what is trained, evaluation mode (no dropout) for modules that are frozen as a whole.

    A layer of which something is trained (adapters) is in training mode as a whole: its dropout steadies that too.
    """
    model.train()
    for module in model.children():
        _train_mode(module, is_layer=False)


def _train_mode(module: "nn.Module", is_layer: bool) -> None:
    from torch import nn

    parameters = list(module.parameters())
    if parameters and not any(parameter.requires_grad for parameter in parameters):
        module.eval()
    elif not is_layer:
        for child in module.children():
            _train_mode(child, is_layer=isinstance(module, nn.ModuleList))


def encoder_layers(model: "PreTrainedModel") -> "nn.ModuleList":
    """The stack of layers: the outermost list of modules in the base model. Raises UserError when there is none."""
    from torch import nn

    for module in model.base_model.modules():
        if isinstance(module, nn.ModuleList) and len(module):
            return module
    raise UserError(
        f"{type(model).__name__} has no list of layers to freeze.",
        "Set train.tune to full, or take another base model.",
    )


def separate_layers(model: "PreTrainedModel", setting: str, so: str, remedy: str) -> "nn.ModuleList":
    """The layers, each with weights of its own. Raises UserError where they share them (ALBERT)."""
    layers = encoder_layers(model)
    if len(layers) < model.config.num_hidden_layers:
        raise UserError(f"train.{setting}: this model's layers share their weights, so {so}.", remedy)
    return layers


def depths(model: "PreTrainedModel", setting: str) -> dict[str, int]:
    """Each parameter's place: 0 below the layers, 1 to n in them, n + 1 above (pooler and head). Raises UserError."""
    layers = separate_layers(model, setting, "none can be treated apart", f"Take train.{setting} out.")
    places = {id(parameter): 0 for module in _below(model, layers) for parameter in module.parameters()}
    for number, layer in enumerate(layers, start=1):
        places |= {id(parameter): number for parameter in layer.parameters()}
    return {name: places.get(id(parameter), len(layers) + 1) for name, parameter in model.named_parameters()}


def _below(model: "PreTrainedModel", layers: "nn.ModuleList") -> list["nn.Module"]:
    """What runs before the layers: everything in the base model that is neither layer, pooler nor final norm."""
    inside = {id(module) for module in layers.modules()}
    above = {
        id(module)
        for name, child in model.base_model.named_children()
        if name in ("pooler", "final_norm", "pooler_activation")
        for module in child.modules()
    }
    return [
        module
        for module in model.base_model.modules()
        if id(module) not in inside | above and not list(module.children())
    ]
