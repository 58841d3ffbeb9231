"""An encoder of any family with one of our own heads on it, as a transformers model: loaded, saved and frozen as one.

The encoder's weights have the names that they have below the family's own heads, so that a folder of a bare encoder,
of one with another head, and what is saved here all fit.
"""

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any

from tunegate.models.heads import HEADS

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel


def headed_class(config: "type[PretrainedConfig]", head: str) -> "type[PreTrainedModel]":
    """The class of models of the family with the head. Raises KeyError for a config that is no encoder's."""
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    encoder: Any = MODEL_MAPPING[config]
    made: type[PreTrainedModel] = _made(encoder[0] if isinstance(encoder, tuple | list) else encoder, head)
    return made


@cache
def _made(encoder: Any, head: str) -> Any:
    import transformers

    plain: Any = transformers.PreTrainedModel
    family: Any = next(kind for kind in encoder.__mro__[1:] if issubclass(kind, plain))
    bare = {"add_pooling_layer": False} if "add_pooling_layer" in inspect.signature(encoder).parameters else {}

    class Headed(family):  # type: ignore[misc]
        def __init__(self, config: "PretrainedConfig") -> None:
            super().__init__(config)
            setattr(self, self.base_model_prefix, encoder(config, **bare))
            self.head = HEADS[head](config)
            self.post_init()

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None, **told: Any) -> Any:
            types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
            hidden = self.base_model(input_ids=input_ids, attention_mask=attention_mask, **types)[0]
            return self.head(hidden, attention_mask, **told)

        def _init_weights(self, module: Any) -> None:
            """Families draw their own modules and may pass over the head's."""
            if any(module is own for own in self.head.modules()):
                plain._init_weights(self, module)
            else:
                super()._init_weights(module)

    Headed.__name__ = Headed.__qualname__ = f"{encoder.__name__}With{head.title().replace('_', '')}"
    return Headed
