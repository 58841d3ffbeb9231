"""Losses for training: against torch's own and against what the papers' formulas give by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from tests.training.learning import settings
from tunegate.errors import UserError
from tunegate.training.loss import LOSSES, cross_entropy, mean
from tunegate.training.shaping import both_passes, distance, shaped_loss


def drawn(seed: int, ignored: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (6,), generator=random)
    if ignored:
        labels[0] = -100
    return torch.randn(6, 4, generator=random), labels


def value(loss: object, logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None = None) -> float:
    return float(mean(loss({"logits": logits}, {"labels": labels}, weights)))  # type: ignore[operator]


@given(seed=st.integers(0, 1000), smoothing=st.floats(0.01, 0.9))
def test_smoothing_is_that_of_torch(seed: int, smoothing: float) -> None:
    logits, labels = drawn(seed)
    ours = value(shaped_loss(cross_entropy, "cross_entropy", settings(label_smoothing=smoothing)), logits, labels)
    theirs = functional.cross_entropy(logits, labels, label_smoothing=smoothing, ignore_index=-100)
    assert ours == pytest.approx(float(theirs), rel=1e-4)


@given(seed=st.integers(0, 1000), gamma=st.floats(0.1, 5), weighted=st.booleans())
def test_focal_loss_is_the_papers_formula(seed: int, gamma: float, weighted: bool) -> None:
    logits, labels = drawn(seed, ignored=False)
    weights = torch.tensor([1.0, 2.0, 0.5, 3.0]) if weighted else None
    shares = logits.softmax(-1)[torch.arange(6), labels]
    row_weights = torch.ones(6) if weights is None else weights[labels]
    by_hand = (row_weights * -((1 - shares) ** gamma) * shares.log()).sum() / row_weights.sum()
    ours = value(shaped_loss(cross_entropy, "cross_entropy", settings(focal_gamma=gamma)), logits, labels, weights)
    assert ours == pytest.approx(float(by_hand), rel=1e-4, abs=1e-7)


def test_nothing_set_is_the_plain_loss_itself() -> None:
    assert shaped_loss(cross_entropy, "cross_entropy", settings()) is cross_entropy


@pytest.mark.parametrize("setting", ["label_smoothing", "focal_gamma", "r_drop"])
@pytest.mark.parametrize("name", sorted(set(LOSSES) - {"cross_entropy"}))
def test_a_loss_that_has_no_such_form_is_refused(setting: str, name: str) -> None:
    with pytest.raises(UserError, match=f"train.{setting}: this task does not choose"):
        shaped_loss(LOSSES[name], name, settings(**{setting: 0.5}))


@given(seed=st.integers(0, 1000))
def test_r_drop_is_the_mean_of_both_losses_and_the_divergence_between_passes(seed: int) -> None:
    (one, labels), (other, _) = drawn(seed, ignored=False), drawn(seed + 1, ignored=False)
    first, second = ({"logits": one}, {"logits": other})
    terms = [cross_entropy(outputs, {"labels": labels}, None) for outputs in (first, second)]
    ours = float(mean(both_passes(*terms, distance(first, second, {"labels": labels}, 2.0))))
    p, q = one.log_softmax(-1), other.log_softmax(-1)
    divergence = functional.kl_div(p, q, reduction="batchmean", log_target=True)
    divergence = (divergence + functional.kl_div(q, p, reduction="batchmean", log_target=True)) / 2
    losses = (functional.cross_entropy(one, labels) + functional.cross_entropy(other, labels)) / 2
    assert ours == pytest.approx(float(losses + 2 * divergence), rel=1e-4)


def test_equal_passes_are_no_distance_apart_and_ignored_positions_count_nothing() -> None:
    logits, labels = drawn(0)
    part = distance({"logits": logits}, {"logits": logits.clone()}, {"labels": labels}, 5.0)
    assert (float(part.loss), float(part.weight)) == (0.0, 5.0)
    moved = logits.clone()
    moved[0] += torch.tensor([9.0, 0, 0, 0])  # row 0 asks nothing
    assert float(distance({"logits": logits}, {"logits": moved}, {"labels": labels}, 5.0).loss) == 0.0
