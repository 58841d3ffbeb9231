import re
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.training.learning import learning, settings
from tunegate.errors import UserError
from tunegate.training.optimiser import make_optimiser, schedule, set_rate, step_clipped


@given(steps=st.integers(1, 5000), warmup=st.floats(0, 0.99), kind=st.sampled_from(["linear", "cosine"]))
def test_the_rate_rises_to_its_peak_then_falls_and_is_never_zero(steps: int, warmup: float, kind: str) -> None:
    shares = [schedule(step, steps, warmup, kind) for step in range(steps)]
    rising = round(steps * warmup)
    assert all(0 < share <= 1 for share in shares)
    assert shares[:rising] == sorted(shares[:rising])
    assert shares[rising:] == sorted(shares[rising:], reverse=True)
    assert rising >= steps or shares[rising] == 1.0


def test_biases_and_norms_do_not_decay_and_the_head_has_its_own_rate() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    optimiser = make_optimiser(model, frozenset({"2.weight", "2.bias"}), settings(head_learning_rate=0.1))
    groups = {
        name: (group["peak"], group["weight_decay"])
        for group in optimiser.param_groups
        for name, parameter in model.named_parameters()
        if any(parameter is one for one in group["params"])
    }
    assert groups == {
        "0.weight": (3e-3, 0.01),
        "0.bias": (3e-3, 0.0),
        "1.weight": (3e-3, 0.0),
        "1.bias": (3e-3, 0.0),
        "2.weight": (0.1, 0.01),
        "2.bias": (0.1, 0.0),
    }


def test_the_schedule_scales_every_groups_own_peak() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    optimiser = make_optimiser(model, frozenset({"1.weight"}), settings(head_learning_rate=0.1))
    set_rate(optimiser, 0.5)
    assert {group["lr"] for group in optimiser.param_groups} == {1.5e-3, 0.05}


@pytest.mark.parametrize("scale", [0.001, 1000.0])
def test_a_step_is_that_of_torch_with_clipped_gradients(scale: float) -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(3, 2), nn.Linear(3, 2)
    theirs.load_state_dict(ours.state_dict())
    mine = make_optimiser(ours, frozenset(), settings(weight_decay=0.0))
    reference = torch.optim.AdamW(theirs.parameters(), lr=3e-3, weight_decay=0.0)
    for model in (ours, theirs):
        (model(torch.ones(1, 3)).sum() * scale).backward()
    torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
    step_clipped(mine, 1.0)
    reference.step()
    assert torch.allclose(ours.weight, theirs.weight, atol=1e-7)
    assert ours.weight.grad is None


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta", "electra"])
def test_a_layers_rate_is_a_share_of_that_of_the_layer_above(family: str, tmp_path: Path) -> None:
    model = learning(tmp_path, family=family).model
    optimiser = make_optimiser(model, frozenset(), settings(layer_decay=0.5, learning_rate=0.8))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    peaks = {names[id(one)]: group["peak"] for group in optimiser.param_groups for one in group["params"]}
    assert peaks.keys() == set(names.values())
    for name, peak in peaks.items():
        layer = re.search(r"layer\.(\d)\.", name)
        below = name.startswith(f"{model.base_model_prefix}.embeddings")
        assert peak == (0.2 if below else 0.4 if layer and layer[1] == "0" else 0.8), name


def test_layers_that_share_their_weights_have_no_rates_of_their_own(tmp_path: Path) -> None:
    model = learning(tmp_path, family="albert").model
    with pytest.raises(UserError, match=r"train\.layer_decay: this model's layers share their weights"):
        make_optimiser(model, frozenset(), settings(layer_decay=0.5))
