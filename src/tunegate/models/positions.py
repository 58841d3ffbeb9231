"""More positions than a model was pre-trained with: its table of position embeddings lengthened.

`tile` copies the table again and again (Beltagy et al. 2020, Longformer, section 5: BERT's heads look at near words
whatever their place, and a copy keeps that everywhere but at the seams). `interpolate` stretches it, so that all new
places lie between trained ones (Dosovitskiy et al. 2021, section 3.2, of image patches; Chen et al. 2023, of text with
rotary positions).
"""

from typing import TYPE_CHECKING, Any

from tunegate.errors import UserError
from tunegate.models.effects import Effect
from tunegate.models.folder import longest_input
from tunegate.models.inputs_wanted import Lengthening

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

SETTING = "longer_positions"


def lengthen(model: "PreTrainedModel", positions: int, how: Lengthening) -> Effect:
    """The table for windows of so many tokens, in place. Raises UserError for a model without such a table."""
    import torch

    config: Any = model.config
    longest = longest_input(config.to_dict())
    place = _table(model, int(config.max_position_embeddings)) if longest is not None else None
    if longest is None or place is None:
        raise UserError(
            f"tokenize.{SETTING}: {type(model).__name__} has no table of positions to lengthen.",
            f"Take tokenize.{SETTING} out, and keep tokenize.max_length to what the model reads.",
        )
    table = place.weight.data
    first = len(table) - longest  # rows that no token has (RoBERTa counts from the padding id on)
    more = _tiled(table[first:], positions) if how == "tile" else _stretched(table[first:], positions)
    place.weight = torch.nn.Parameter(torch.cat([table[:first], more]))
    place.num_embeddings = len(place.weight)
    config.max_position_embeddings = len(place.weight)
    _lengthen_buffers(model, len(table), len(place.weight))
    made = "copied from the first ones" if how == "tile" else "drawn out between the old ones"
    return Effect(
        setting=f"tokenize.{SETTING}",
        what=f"{positions:,} positions where there were {longest:,}; {'new ones' if how == 'tile' else 'all'} "
        f"are {made} ({how})",
    )


def _table(model: "PreTrainedModel", rows: int) -> Any:
    """The module of position embeddings, None where there is none."""
    from torch import nn

    return next(
        (
            module
            for name, module in model.base_model.named_modules()
            if name.rpartition(".")[2] == "position_embeddings"
            and isinstance(module, nn.Embedding)
            and module.num_embeddings == rows
        ),
        None,
    )


def _tiled(table: "torch.Tensor", positions: int) -> "torch.Tensor":
    return table.repeat(-(-positions // len(table)), 1)[:positions].contiguous()


def _stretched(table: "torch.Tensor", positions: int) -> "torch.Tensor":
    """The first and last rows keep their places; rows between lie evenly."""
    from torch.nn import functional

    stretched = functional.interpolate(table.T[None], size=positions, mode="linear", align_corners=True)
    return stretched[0].T.contiguous()


def _lengthen_buffers(model: "PreTrainedModel", old: int, new: int) -> None:
    """Numbers of positions and token types that embeddings keep ready."""
    import torch

    for module in model.modules():
        for name, buffer in list(module.named_buffers(recurse=False)):
            if buffer.shape == (1, old) and name in ("position_ids", "token_type_ids"):
                ready = torch.arange(new)[None] if name == "position_ids" else torch.zeros(1, new, dtype=torch.int64)
                module.register_buffer(name, ready, persistent=name not in module._non_persistent_buffers_set)
