"""Our own heads, named for what they do, never for a task: where transformers has no Auto class for it.

A head is a torch module made from the model's config. Its `forward(hidden, attention_mask, **told)` takes the last
layer's hidden states [b, l, h], the mask [b, l], and what the task's `Head` says the model is told while it learns; it
gives a dict of named outputs, `Head.outputs` when nothing is told. Its parts are torch's own layers, so that their
weights are drawn as transformers draws new ones. `models.headed` puts it on an encoder of any family.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn
    from transformers import PretrainedConfig


def _biaffine(config: "PretrainedConfig") -> "nn.Module":
    from tunegate.models.heads.biaffine import Biaffine

    return Biaffine(config)


def _pooled(config: "PretrainedConfig") -> "nn.Module":
    from tunegate.models.heads.pooled import Pooled

    return Pooled(config)


HEADS: "dict[str, Callable[[PretrainedConfig], nn.Module]]" = {"biaffine": _biaffine, "pooled": _pooled}
"""By the name that a task's `Head.auto_class` gives."""
