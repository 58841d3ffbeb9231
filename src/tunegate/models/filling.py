"""Models that fill in words (and tell whether a text follows another): a family's own language-model head, asked at
the positions in question alone.

A vocabulary is wide and questions are few: of a window's positions a seventh is asked while training, often one while
serving. So the encoder's states are gathered at those before the family's own head reads them (as BERT's
`gather_indexes` does), which keeps its weights and their names: a folder of any masked language model fits.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from tunegate.errors import UserError
from tunegate.task import IGNORED

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

FILLING = {"masked_words": False, "masked_words_and_order": True}
"""By the name that a task's `Head.auto_class` gives: whether it also tells the order of two texts."""

ORDERS = {"seq_relationship_logits": "next_sentence_label", "sop_logits": "sentence_order_label"}
"""What families call the scores of the order, and the argument by which they are known to have them."""


def filling_class(config: "type[PretrainedConfig]", head: str) -> "type[PreTrainedModel]":
    """The family's class with this head. Raises KeyError for a config of no such family, UserError where the family
    has no scores for the order of texts."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING, MODEL_FOR_PRETRAINING_MAPPING

    with_order = FILLING[head]
    mapping: Any = MODEL_FOR_PRETRAINING_MAPPING if with_order else MODEL_FOR_MASKED_LM_MAPPING
    family = mapping[config]
    if with_order and _order_of(family) is None:
        raise UserError(
            f"{family.__name__} has no head for the order of sentences; BERT's and ALBERT's families have one.",
            "Set options.sentences to none, or take a base model of one of these families.",
        )
    made: type[PreTrainedModel] = _made(family, _order_of(family) if with_order else None)
    return made


def _order_of(family: Any) -> str | None:
    import inspect

    arguments = inspect.signature(family.forward).parameters
    return next((name for name, argument in ORDERS.items() if argument in arguments), None)


@cache
def _made(family: Any, order: str | None) -> Any:
    import torch

    class Filling(family):  # type: ignore[misc]
        """`also_reads`: the argument beside the encoder's own: `asked` [b, l], 0 where nothing is asked, else the
        number of a token whose probability is wanted, plus 1.

        Gives `top_words` and `top_scores` [b, l, config.top_words], the likeliest tokens' numbers and log
        probabilities, `asked_scores` [b, l], and `order_scores` [b, 2]; what stands at positions that are not asked
        says nothing. Told `words` [b, l] (what is hidden, IGNORED elsewhere), it gives `prediction_logits` [m, v] of
        just those positions, in their order, and `order_logits` [b, 2] instead.
        """

        also_reads = ("asked",)

        def __init__(self, config: "PretrainedConfig") -> None:
            super().__init__(config)
            self._chosen: Any = None  # positions of the flattened batch, while a forward pass goes on
            self.base_model.register_forward_hook(self._gather)

        def forward(
            self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None, asked: Any = None, words: Any = None
        ) -> Any:
            read = {"input_ids": input_ids, "attention_mask": attention_mask}
            if token_type_ids is not None:
                read["token_type_ids"] = token_type_ids
            if words is not None:
                found = self._at((words != IGNORED).flatten().nonzero().squeeze(-1), read)
                logits = {"prediction_logits": _words(found)}
                return logits | ({"order_logits": found[order]} if order else {})
            # One position more than is asked: engines cannot choose the best of nothing.
            flat = asked.flatten()
            places = torch.cat([flat.new_zeros(1), (flat > 0).nonzero().squeeze(-1)])
            found = self._at(places, read)
            scores = _words(found).float().log_softmax(dim=-1)
            best = scores.topk(self.config.top_words, dim=-1)
            wanted = scores.gather(-1, (flat[places] - 1).clamp(min=0)[:, None]).squeeze(-1)
            row = (flat > 0).long().cumsum(0)  # of `places`; 0, the spare one, before the first
            answers = {
                "top_words": best.indices[row].unflatten(0, asked.shape),
                "top_scores": best.values[row].unflatten(0, asked.shape),
                "asked_scores": wanted[row].unflatten(0, asked.shape),
            }
            return answers | ({"order_scores": found[order].float().log_softmax(dim=-1)} if order else {})

        def _at(self, places: Any, read: dict[str, Any]) -> Any:
            self._chosen = places
            try:
                return super().forward(**read)
            finally:
                self._chosen = None

        def _gather(self, module: Any, arguments: Any, outputs: Any) -> Any:
            if self._chosen is None:
                return outputs
            states = outputs[0]
            kept = states.flatten(0, 1)[self._chosen][None]
            return type(outputs)(**{**outputs, "last_hidden_state": kept})

    Filling.__name__ = Filling.__qualname__ = family.__name__
    return Filling


def _words(found: Any) -> Any:
    """[1, m, v] by whichever name, as [m, v]."""
    return (found["prediction_logits"] if "prediction_logits" in found else found["logits"])[0]
