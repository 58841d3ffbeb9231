"""An embedding table for other tokens than a model was pre-trained with: rows kept, and rows made of old ones.

A new word starts as the mean of the pieces that it was read as (as in Yao et al. 2021, "Adapt-and-Distill"), a token
without any as the mean of all rows, which bounds how far the model's answers move (Hewitt 2021, "Initializing new word
embeddings for pretrained language models").
"""

from typing import TYPE_CHECKING, Any

from tunegate.models.effects import Effect
from tunegate.models.inputs_wanted import InputsWanted

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


def remake_tokens(model: "PreTrainedModel", wanted: InputsWanted) -> Effect:
    """The table in place, and with it what gives a score per token (a masked-LM head)."""
    import torch

    untyped: Any = model
    embeddings: Any = model.get_input_embeddings()
    before = embeddings.num_embeddings
    prefix, table = f"{model.base_model_prefix}.", id(embeddings.weight)
    old = {
        name: value.detach().clone()
        for name, value in model.named_parameters()
        if value.shape[:1] == (before,) and (id(value) == table or not name.startswith(prefix))
    }
    untyped.resize_token_embeddings(wanted.tokens, mean_resizing=False)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name in old:
                value.copy_(_remade(old[name], wanted))
    return Effect(setting="tokenize." + wanted.vocabulary, what=_in_words(wanted, before))


def _remade(old: "torch.Tensor", wanted: InputsWanted) -> "torch.Tensor":
    """Rows [tokens, ...] out of the old ones, or numbers [tokens] out of numbers."""
    import torch

    known = old[: wanted.base_tokens]
    everything = known.mean(dim=0)
    made = [known[list(rows)].mean(dim=0) if rows else everything for rows in wanted.made_of]
    return torch.cat([old[: wanted.kept_tokens], *([torch.stack(made)] if made else [])])


def _in_words(wanted: InputsWanted, before: int) -> str:
    made = wanted.made_of
    counts = {
        "kept as they are": wanted.kept_tokens + sum(len(rows) == 1 for rows in made),
        "the mean of the pieces that they were read as": sum(len(rows) > 1 for rows in made),
        "the mean of all, since no piece of them was known": sum(not rows for rows in made),
    }
    said = [f"{count:,} are {what}" for what, count in counts.items() if count]
    return f"{wanted.tokens:,} rows of embeddings where there were {before:,}: {'; '.join(said)}"
