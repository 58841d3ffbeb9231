"""Quick masks drop as often as they should, keep the mean, and come from torch's own generator."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from tunegate.training.dropout import mask_like, quick_dropout


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(1000, 1001), (3,), (7, 11, 13, 97)])
def test_the_share_that_is_dropped_is_the_rate_and_the_mean_stays(rate: float, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    mask = mask_like(torch.ones(shape), rate)
    assert mask.shape == shape
    kept = (mask > 0).float().mean().item()
    five_sigma = 5 * (rate * (1 - rate) / mask.numel()) ** 0.5
    assert abs(kept - (1 - rate)) <= five_sigma + 1e-4
    assert abs(mask.mean().item() - 1) <= five_sigma / (1 - rate) + 1e-3


def test_each_of_a_words_four_elements_is_dropped_alike_and_on_its_own() -> None:
    torch.manual_seed(0)
    quarters = (mask_like(torch.ones(400_000), 0.3) == 0).float().view(-1, 4)
    assert torch.allclose(quarters.mean(0), torch.full((4,), 0.3), atol=0.005)
    assert (torch.corrcoef(quarters.T) - torch.eye(4)).abs().max() < 0.01


def test_inside_modules_and_functions_use_it_and_outside_torchs_own() -> None:
    usual = functional.dropout
    layer, ones = nn.Dropout(0.25).train(), torch.ones(5000)
    with quick_dropout("cpu"):
        torch.manual_seed(3)
        first = layer(ones)
        torch.manual_seed(3)
        assert torch.equal(first, functional.dropout(ones, 0.25))
        torch.manual_seed(3)
        assert torch.equal(first, mask_like(ones, 0.25))
        assert torch.equal(layer.eval()(ones), ones)
        assert torch.equal(functional.dropout(ones, 0.0), ones)
        assert functional.dropout(ones, 1.0).sum() == 0
    assert functional.dropout is usual
    with quick_dropout("cuda"):
        assert functional.dropout is usual


def test_what_was_dropped_gets_no_gradient() -> None:
    values = torch.ones(1000, requires_grad=True)
    with quick_dropout("cpu"):
        out = functional.dropout(values, 0.4)
    out.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, out.detach())


def test_low_precision_stays_what_it_is() -> None:
    assert mask_like(torch.ones(8, dtype=torch.bfloat16), 0.1).dtype == torch.bfloat16
