"""The top layers of an encoder made random again.

They are the most bound to what the model was pre-trained for, and starting them anew steadies fine-tuning on few rows
(Zhang et al. 2021, "Revisiting few-sample BERT fine-tuning", section 5).
"""

from typing import TYPE_CHECKING, Any

from tunegate.errors import UserError
from tunegate.models.freezing import separate_layers

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SETTING = "reinitialised_layers"


def reinitialise(model: "PreTrainedModel", layers: int) -> tuple[str, ...]:
    """The names of the weights that were drawn again, as the architecture draws them; the pooler's too."""
    import torch

    if not layers:
        return ()
    stack = separate_layers(model, SETTING, "none can start anew alone", f"Take train.{SETTING} out.")
    if layers > len(stack):
        raise UserError(
            f"train.{SETTING} is {layers}, and the model has {len(stack)} layers.", f"Take at most {len(stack)}."
        )
    pooler = getattr(model.base_model, "pooler", None)
    tops: list[Any] = [*stack[len(stack) - layers :], *([pooler] if pooler is not None else [])]
    with torch.no_grad():
        for top in tops:
            draw(model, top)
    drawn = {id(parameter) for top in tops for parameter in top.parameters()}
    return tuple(name for name, parameter in model.named_parameters() if id(parameter) in drawn)


def draw(model: Any, top: Any) -> None:
    """A module's weights as the architecture draws new ones."""
    for parameter in top.parameters():
        if hasattr(parameter, "_is_hf_initialized"):  # transformers' mark on what came from a file: it draws no such
            del parameter._is_hf_initialized
    for module in top.modules():
        model._init_weights(module)
