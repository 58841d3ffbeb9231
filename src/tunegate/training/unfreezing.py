"""Gradual unfreezing: the head first, then one layer after the other from the top (Howard and Ruder 2018, ULMFiT)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from tunegate.models.freezing import depths

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

SETTING = "unfreeze_epochs"


class Unfreezing:
    """Which of the trained weights learn in an epoch: a function of its number alone, so that nothing is to be kept.

    Head and pooler always do; after each `epochs_per_layer` epochs one layer more, the embeddings last.
    """

    def __init__(self, model: "nn.Module", epochs_per_layer: int) -> None:
        self.epochs_per_layer = epochs_per_layer
        places = depths(cast("PreTrainedModel", model), SETTING)
        self.above = max(places.values())
        self.trained = {
            parameter: places[name] for name, parameter in model.named_parameters() if parameter.requires_grad
        }

    def layers(self, epoch: int) -> int:
        """How many layers learn, embeddings counted as one."""
        return min(self.above, epoch // self.epochs_per_layer)

    @contextmanager
    def standing(self, epoch: int) -> Iterator[None]:
        """Inside, what does not learn yet is frozen."""
        lowest = self.above - self.layers(epoch)
        for parameter, place in self.trained.items():
            parameter.requires_grad_(place >= lowest)
        try:
            yield
        finally:
            for parameter in self.trained:
                parameter.requires_grad_(True)
