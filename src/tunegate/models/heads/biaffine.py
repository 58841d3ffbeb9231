"""Pairs of positions scored by deep biaffine attention (Dozat and Manning 2017, sections 2.2 and 3.2)."""

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from tunegate.models.heads.sizes import dropout_of

if TYPE_CHECKING:
    from transformers import PretrainedConfig

SLOPE = 0.1  # of the leaky rectifier, as in the paper


class Biaffine(nn.Module):
    """Which position each position hangs on, and in which of `config.num_labels` relations.

    Config: `arc_size` and `relation_size`, the widths of the vectors that are compared.

    Gives `arcs` [b, l, l], the score that position i (second axis) hangs on position j, and for every pair the best
    relation's number `relations` (int64) and log probability `relation_scores`: what a tree needs, where all relations'
    scores would be many times as large. Told `heads` [b, l] (a position each; negative: none), it gives
    `relation_logits` [b, l, r] of just those pairs instead.
    """

    def __init__(self, config: "PretrainedConfig") -> None:
        super().__init__()
        self.relations = int(config.num_labels or 0)
        self.width: int = config.relation_size
        self.dropout = nn.Dropout(dropout_of(config))
        self.arc_dependent = nn.Linear(config.hidden_size, config.arc_size)
        self.arc_head = nn.Linear(config.hidden_size, config.arc_size)
        self.relation_dependent = nn.Linear(config.hidden_size, config.relation_size)
        self.relation_head = nn.Linear(config.hidden_size, config.relation_size)
        # U with the bias u of equation 9: how likely position j is to be a head at all.
        self.arc = nn.Linear(config.arc_size, config.arc_size)
        # Of each relation W with the head's weights as its bias, and the dependent's weights with their bias (eq. 3).
        self.relation = nn.Linear(config.relation_size, self.relations * (config.relation_size + 1))

    def forward(
        self, hidden: torch.Tensor, attention_mask: torch.Tensor, heads: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        hidden = self.dropout(hidden)
        arcs = self.arc(self._reduced(self.arc_dependent, hidden)) @ self._reduced(self.arc_head, hidden).transpose(
            1, 2
        )
        dependents = self.relation(self._reduced(self.relation_dependent, hidden))
        dependents = dependents.unflatten(-1, (self.relations, self.width + 1))  # [b, l, r, k + 1]
        governors = self._reduced(self.relation_head, hidden)  # [b, l, k]
        if heads is not None:
            chosen = governors.gather(1, heads.clamp(min=0)[..., None].expand(-1, -1, self.width))
            logits = (dependents[..., :-1] @ chosen[..., None]).squeeze(-1) + dependents[..., -1]
            return {"arcs": arcs, "relation_logits": logits}
        pairs = dependents[..., :-1].flatten(1, 2) @ governors.transpose(1, 2)  # [b, l * r, l]
        logits = pairs.unflatten(1, (-1, self.relations)) + dependents[..., -1:]  # [b, l, r, l]
        best = logits.max(dim=2)
        return {
            "arcs": arcs,
            "relations": best.indices,
            "relation_scores": best.values - logits.logsumexp(dim=2),
        }

    def _reduced(self, layer: nn.Linear, hidden: torch.Tensor) -> torch.Tensor:
        reduced: torch.Tensor = self.dropout(functional.leaky_relu(layer(hidden), SLOPE))
        return reduced
