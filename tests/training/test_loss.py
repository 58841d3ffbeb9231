import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional

from tunegate.errors import UserError
from tunegate.training.loss import LOSSES, balanced_weights, cross_entropy, loss_named, mean


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
    assert of(logits, labels) == pytest.approx(of(asked, torch.tensor([1, 0, 3])))
    assert of(logits, labels) == pytest.approx(functional.cross_entropy(asked, torch.tensor([1, 0, 3])).item())


def of(logits: torch.Tensor, labels: torch.Tensor) -> float:
    return mean(cross_entropy({"logits": logits}, {"labels": labels}, None)).item()


@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 2.0, 1.0])])
def test_a_batch_in_two_parts_has_the_loss_of_the_whole(weights: torch.Tensor | None) -> None:
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 2, -100, 0])
    whole = cross_entropy({"logits": logits}, {"labels": labels}, weights)[0]
    parts = [
        cross_entropy({"logits": logits[cut]}, {"labels": labels[cut]}, weights)[0] for cut in (slice(4), slice(4, 6))
    ]
    together = sum(part.loss.item() for part in parts) / sum(part.weight.item() for part in parts)
    assert together == pytest.approx(functional.cross_entropy(logits, labels, weights, ignore_index=-100).item())
    assert together == pytest.approx((whole.loss / whole.weight).item())


def test_places_without_an_option_are_not_chosen_among() -> None:
    scores = torch.tensor([[[9.0], [1.0], [9.0], [2.0]], [[0.0], [9.0], [0.0], [9.0]]])
    marks = torch.tensor([[-100, 1, -100, 1], [1, -100, 1, -100]])
    terms = LOSSES["choice_of_places"]({"logits": scores}, {"options": marks, "place": torch.tensor([3, -100])}, None)[
        0
    ]
    assert terms.loss.item() == pytest.approx(
        functional.cross_entropy(torch.tensor([[1.0, 2.0]]), torch.tensor([1])).item()
    )
    assert (terms.right.item(), terms.asked.item()) == (1, 1)  # of the second window another one holds what is right


def test_options_are_weighed_against_those_of_their_own_record_alone() -> None:
    scores = torch.tensor([[1.0], [2.0], [0.0], [0.0], [3.0]])  # a record of two options, one of three
    record = torch.tensor([0, 0, 1, 1, 1])
    targets = {"labels": torch.tensor([1, 2]), "record": record, "options": torch.tensor(3)}
    terms = LOSSES["choice"]({"logits": scores}, targets, None)[0]
    first, second = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 0.0, 3.0]])
    expected = functional.cross_entropy(first, torch.tensor([1])) + functional.cross_entropy(second, torch.tensor([2]))
    assert terms.loss.item() == pytest.approx(expected.item())
    assert (terms.right.item(), terms.asked.item()) == (2, 2)


def test_a_span_is_right_where_both_its_ends_are() -> None:
    start, end = torch.zeros(3, 4), torch.zeros(3, 4)
    start[[0, 1, 2], [1, 1, 1]], end[[0, 1, 2], [2, 2, 3]] = 5.0, 5.0
    targets = {"start": torch.tensor([1, 1, 1]), "end": torch.tensor([2, 3, 3])}
    terms = LOSSES["span"]({"start_logits": start, "end_logits": end}, targets, None)[0]
    assert (terms.right.item(), terms.asked.item()) == (2, 3)
    expected = (functional.cross_entropy(start, targets["start"]) + functional.cross_entropy(end, targets["end"])) / 2
    assert mean([terms]).item() == pytest.approx(expected.item())


def test_several_labels_are_several_questions() -> None:
    logits, labels = torch.tensor([[3.0, -2.0], [1.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    terms = LOSSES["binary_cross_entropy"]({"logits": logits}, {"labels": labels}, None)[0]
    assert mean([terms]).item() == pytest.approx(functional.binary_cross_entropy_with_logits(logits, labels).item())
    assert (terms.right.item(), terms.asked.item()) == (3, 4)


def test_masked_words_and_the_order_of_sentences_are_learnt_together() -> None:
    words, order = torch.randn(2, 3, 5), torch.randn(2, 2)
    targets = {"words": torch.tensor([[1, -100, -100], [-100, 4, -100]]), "order": torch.tensor([0, 1])}
    outputs = {"prediction_logits": words, "order_logits": order}
    expected = functional.cross_entropy(torch.stack([words[0, 0], words[1, 1]]), torch.tensor([1, 4]))
    expected = expected + functional.cross_entropy(order, targets["order"])
    assert mean(LOSSES["masked_words"](outputs, targets, None)).item() == pytest.approx(expected.item())


def test_a_part_that_asks_nothing_counts_nothing() -> None:
    targets = {"words": torch.full((2, 3), -100), "order": torch.tensor([0, 1])}
    outputs = {"prediction_logits": torch.randn(2, 3, 5), "order_logits": torch.zeros(2, 2)}
    assert mean(LOSSES["masked_words"](outputs, targets, None)).item() == pytest.approx(np.log(2))


def test_an_unknown_loss_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match='Did you mean "span"'):
        loss_named("spam")


def test_a_position_hangs_on_a_candidate_other_than_itself() -> None:
    scores = torch.tensor([[[0.0, 9.0, 9.0, 9.0], [1.0, 9.0, 5.0, 2.0], [0.0, 0.0, 0.0, 0.0], [3.0, 1.0, 9.0, 9.0]]])
    relations = torch.tensor([[[0.0, 0.0], [2.0, 0.0], [0.0, 0.0], [0.0, 2.0]]])
    targets = {
        "candidates": torch.tensor([[1, 1, -100, 1]]),  # the third position is no word's first token
        "heads": torch.tensor([[-100, 0, -100, 1]]),
        "relations": torch.tensor([[-100, 0, -100, 0]]),
    }
    arcs, named = LOSSES["arcs"]({"arcs": scores, "relation_logits": relations}, targets, None)
    first, second = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 1.0]])  # [root, 3], [root, 1]
    expected = functional.cross_entropy(first, torch.tensor([0])) + functional.cross_entropy(second, torch.tensor([1]))
    assert arcs.loss.item() == pytest.approx(expected.item())
    assert (arcs.right.item(), arcs.asked.item()) == (0, 2)
    assert (named.right.item(), named.asked.item()) == (1, 2)
