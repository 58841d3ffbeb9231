"""The scorer against the paper's equations, written out pair by pair."""

import torch
from transformers import BertConfig

from tunegate.models.heads.biaffine import SLOPE, Biaffine

RELATIONS = 3


def head() -> Biaffine:
    config = BertConfig(hidden_size=6, num_labels=RELATIONS, arc_size=5, relation_size=4)
    torch.manual_seed(0)
    made = Biaffine(config).eval()
    for weights in made.parameters():
        torch.nn.init.normal_(weights)
    return made


def leaky(values: torch.Tensor) -> torch.Tensor:
    return torch.where(values > 0, values, SLOPE * values)


def relation_scores(made: Biaffine, dependent: torch.Tensor, head: torch.Tensor) -> torch.Tensor:
    """Equation 3 for one pair of hidden states, [relations]."""
    one, other = leaky(made.relation_dependent(dependent)), leaky(made.relation_head(head))
    weights = made.relation.weight.view(RELATIONS, 5, 4)
    biases = made.relation.bias.view(RELATIONS, 5)
    return torch.stack(
        [other @ weights[r, :4] @ one + biases[r, :4] @ other + weights[r, 4] @ one + biases[r, 4] for r in range(3)]
    )


def test_every_pair_has_the_score_of_the_papers_equations() -> None:
    made, hidden = head(), torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(1))
    given = made(hidden, torch.ones(2, 4))
    for row in range(2):
        for i in range(4):
            for j in range(4):
                one, other = leaky(made.arc_dependent(hidden[row, i])), leaky(made.arc_head(hidden[row, j]))
                arc = other @ made.arc.weight @ one + other @ made.arc.bias
                relation = relation_scores(made, hidden[row, i], hidden[row, j])
                assert torch.allclose(given["arcs"][row, i, j], arc, atol=1e-5)
                assert given["relations"][row, i, j] == relation.argmax()
                assert torch.allclose(given["relation_scores"][row, i, j], relation.log_softmax(0).max(), atol=1e-5)


def test_told_the_heads_it_gives_all_relations_of_those_pairs() -> None:
    made, hidden = head(), torch.randn(1, 4, 6, generator=torch.Generator().manual_seed(1))
    given = made(hidden, torch.ones(1, 4), heads=torch.tensor([[-100, 2, 0, 1]]))
    for i, j in ((1, 2), (2, 0), (3, 1)):
        expected = relation_scores(made, hidden[0, i], hidden[0, j])
        assert torch.allclose(given["relation_logits"][0, i], expected, atol=1e-5)
