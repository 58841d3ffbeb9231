import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from tunegate.training.loss import balanced_weights, cross_entropy


def test_balanced_weights_are_scikit_learns() -> None:
    labels = np.array([0, 0, 0, 1, 2, 2])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert balanced_weights(labels, np.ones(6), 3) == pytest.approx(expected)


def test_a_row_that_is_drawn_three_times_counts_three_times() -> None:
    drawn = balanced_weights(np.array([0, 0, 0, 1]), np.array([1.0, 1.0, 1.0, 3.0]), 2)
    assert drawn.tolist() == [1.0, 1.0]


def test_a_class_without_rows_weighs_one_and_breaks_nothing() -> None:
    assert balanced_weights(np.array([0, 0]), np.ones(2), 2)[1] == 1.0


def test_positions_that_ask_nothing_count_for_nothing() -> None:
    logits = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1, -100, -100], [0, 3, -100]])
    asked = torch.stack([logits[0, 0], logits[1, 0], logits[1, 1]])
    assert cross_entropy(logits, labels, None).item() == pytest.approx(
        cross_entropy(asked, torch.tensor([1, 0, 3]), None).item()
    )
