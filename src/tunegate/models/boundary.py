"""The model above its frozen layers, fed with what those gave before: each row passes through them once.

While a boundary stands, the frozen layers' `forward` is answered from the kept hidden states; the parameters and
their names stay those of the whole model. Proved on real rows before use, or not used.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tunegate.models.freezing import encoder_layers

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

ROWS_TO_PROVE = 16  # on which a shortened model must answer as the whole one
TOLERANCE = 1e-4  # of logits in float32: sums in another order differ by 1e-6, another function by far more


def kept_states(model: "PreTrainedModel", inputs: "dict[str, torch.Tensor]") -> "torch.Tensor":
    """What a head is told of each row, [b, h]: the first position's state, or what a head that learns nothing in
    pooling makes of all."""
    hidden, head = hidden_states(model, inputs), getattr(model, "head", None)
    if getattr(head, "pools_alike", False):
        pooled: torch.Tensor = head.pooled(hidden, inputs["attention_mask"])  # type: ignore[union-attr]
        return pooled
    return hidden[:, 0]


def hidden_states(model: "PreTrainedModel", inputs: "dict[str, torch.Tensor]", layer: int = -1) -> "torch.Tensor":
    """What a layer gives, by default the last, [b, l, h]; the model in evaluation mode. Layers above it are spared."""
    seen: list[torch.Tensor] = []

    def keep(_module: object, _arguments: object, output: Any) -> None:
        seen[:] = [_first(output)]  # a layer that is used several times (ALBERT): its last answer counts
        if layer != -1:
            raise _EnoughError

    hook = encoder_layers(model)[layer].register_forward_hook(keep)
    try:
        with suppress(_EnoughError):
            model(**inputs)
    finally:
        hook.remove()
    return seen[0]


class _EnoughError(Exception):
    """Ends a forward pass whose rest nobody asks for."""


class Above:
    """What the part above the layers gives, by name, for what was kept of each row, float32 [b, h]."""

    def __init__(
        self, model: "PreTrainedModel", first_token: int, names: tuple[str, ...], outputs: tuple[str, ...]
    ) -> None:
        self.model = model
        self.first_token = first_token
        self.names = names
        self.outputs = outputs
        self.hidden: torch.Tensor | None = None

    @contextmanager
    def standing(self) -> Iterator["Above"]:
        """Inside, the layers answer with what `answer` was given."""
        layers = list(encoder_layers(self.model))
        for layer in layers:
            layer.forward = self._answer
        try:
            yield self
        finally:
            for layer in layers:
                del layer.forward

    def answer(self, inputs: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """`inputs` holds `hidden`; the embeddings read one token, whose result no layer looks at."""
        import torch

        self.hidden = inputs["hidden"][:, None, :]
        one = torch.ones(len(self.hidden), 1, dtype=torch.int64, device=self.hidden.device)
        stand_ins = {"input_ids": one * self.first_token, "attention_mask": one, "token_type_ids": one * 0}
        given = self.model(**{name: stand_ins[name] for name in self.names})
        return {name: given[name] for name in self.outputs}

    def is_exact(self, inputs: "dict[str, torch.Tensor]") -> bool:
        """Whether head and pooler read what is kept alone: outputs equal those of the whole model."""
        import torch

        with torch.no_grad():
            self.model.train(False)
            whole = self.model(**inputs)
            hidden = kept_states(self.model, inputs)
            with self.standing():
                above = self.answer({"hidden": hidden})
        return _alike(whole, above)

    def _answer(self, *_arguments: object, **_more: object) -> "torch.Tensor | None":
        return self.hidden


class UpperLayers:
    """What the model gives, by name, for what its lowest `frozen` layers gave of each token, float32 [b, l, h].

    Those layers hand on what they are given, but for the last of them, which answers with the kept states.
    """

    def __init__(self, model: "PreTrainedModel", frozen: int, outputs: tuple[str, ...]) -> None:
        self.model = model
        self.frozen = frozen
        self.outputs = outputs
        self.states: torch.Tensor | None = None

    @contextmanager
    def standing(self) -> Iterator["UpperLayers"]:
        *lower, last = encoder_layers(self.model)[: self.frozen]
        for layer in lower:
            layer.forward = _hand_on
        last.forward = self._answer
        try:
            yield self
        finally:
            for layer in (*lower, last):
                del layer.forward

    def answer(self, inputs: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """`inputs` are the model's, and `states`."""
        self.states = inputs["states"]
        given = self.model(**{name: value for name, value in inputs.items() if name != "states"})
        return {name: given[name] for name in self.outputs}

    def is_exact(self, inputs: "dict[str, torch.Tensor]") -> bool:
        """Whether outputs equal those of the whole model."""
        import torch

        with torch.no_grad():
            self.model.train(False)
            whole = self.model(**inputs)
            states = hidden_states(self.model, inputs, self.frozen - 1)
            with self.standing():
                above = self.answer({**inputs, "states": states})
        return _alike(whole, above)

    def _answer(self, *_arguments: object, **_more: object) -> "torch.Tensor | None":
        return self.states


def _alike(whole: Any, above: "dict[str, torch.Tensor]") -> bool:
    """Whether what stands above the boundary gives what the whole model gives, by name."""
    import torch

    return all(
        whole[name].shape == given.shape and bool(torch.allclose(whole[name], given, atol=TOLERANCE))
        for name, given in above.items()
    )


def _hand_on(hidden_states: Any, *_arguments: object, **_more: object) -> Any:
    return hidden_states


def _first(output: Any) -> Any:
    return output[0] if isinstance(output, tuple) else output
