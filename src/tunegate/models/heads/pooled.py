"""A text as one vector, pooled over its tokens, and scores from it."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from tunegate.models.heads.sizes import dropout_of

if TYPE_CHECKING:
    from transformers import PretrainedConfig


class Pooled(nn.Module):
    """`logits` [b, config.num_labels] from all tokens that are no padding.

    Config: `head_pooling`, the first token's state (`cls`, Devlin et al. 2019), the `mean` of all (Reimers and Gurevych
    2019), the `max` of each dimension (Conneau et al. 2017), or a weighted mean whose weights are learnt (`attention`,
    Lin et al. 2017, "A structured self-attentive sentence embedding", with one hop); `head_layers`, hidden layers of
    the encoder's width with tanh, as BERT's pooler is one.
    """

    def __init__(self, config: "PretrainedConfig") -> None:
        super().__init__()
        width: int = config.hidden_size
        self.pooling: str = config.head_pooling
        self.dropout = nn.Dropout(dropout_of(config))
        if self.pooling == "attention":
            self.keys = nn.Linear(width, width)
            self.query = nn.Linear(width, 1, bias=False)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(config.head_layers))
        self.scores = nn.Linear(width, int(config.num_labels or 0))

    def forward(self, hidden: torch.Tensor, attention_mask: torch.Tensor) -> dict[str, torch.Tensor]:
        vector = self.pooled(hidden, attention_mask)
        for layer in self.layers:
            vector = torch.tanh(layer(self.dropout(vector)))
        return {"logits": self.scores(self.dropout(vector))}

    @property
    def pools_alike(self) -> bool:
        """Whether pooling learns nothing, so that its result can be kept."""
        return self.pooling != "attention"

    def pooled(self, hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """[b, l, h] to float32 [b, h]. Of one token it is that token's state, whichever the pooling."""
        hidden, real = hidden.float(), attention_mask[..., None] > 0
        if self.pooling == "cls":
            return hidden[:, 0]
        if self.pooling == "max":
            return hidden.masked_fill(~real, torch.finfo(hidden.dtype).min).amax(dim=1)
        if self.pooling == "mean":
            return (hidden * real).sum(dim=1) / real.sum(dim=1)
        asked = self.query(torch.tanh(self.keys(hidden))).float()
        weights = asked.masked_fill(~real, torch.finfo(asked.dtype).min).softmax(dim=1)
        weighed: torch.Tensor = (hidden * weights).sum(dim=1)
        return weighed
